use super::*;
use crate::key::Target;
use crate::purge::Expressions;

#[test]
fn a_million_marks_take_no_more_room_than_they_may() {
    const MOST: usize = 1 << 20;
    /// A table that has just doubled takes a little more than is counted.
    const ROOM: usize = MOST / 4 * 5;
    let marks = Marks::default();
    let mark = |from: usize, count: usize| {
        let names: Vec<Name> =
            (from..from + count).map(|number| Name::tag(&number.to_string())).collect();
        let (selectors, at) = (&Selectors::default(), Moment(0));
        let (names, softness) = (&names[..], Softness::Hard);
        let marked = Marked { selectors, names, softness, at, purge: None };
        let number = marks.mark(&marked, |_| {});
        marks.prune(marks.settled(), number, MOST);
    };
    let room = || {
        let table = marks.table.read();
        table.named.capacity() * size_of::<(Name, Mark)>()
            + table.order.capacity() * size_of::<(u64, Name)>()
    };
    let under_way = marks.depart();
    for from in (0..1_000_000).step_by(1_000) {
        mark(from, 1_000);
        assert!(marks.count() * PER_MARK <= MOST && room() <= ROOM, "{from}: {}", room());
    }
    assert!(marks.count() > 1_000, "as many are kept as there is room for");
    mark(1_000_000, 100_000);
    assert!(room() <= ROOM, "a large purge gives back what it took: {}", room());
    drop(under_way);
    mark(2_000_000, 1);
    assert_eq!(marks.count(), 0);
}

#[test]
fn what_lands_is_searched_for_so_many_patterns_and_no_more() {
    let marks = Marks::default();
    let purge = |number: usize| {
        let url = format!("^/{number}/");
        let url = Expressions { url: Some(&url), ..Expressions::default() };
        let patterns = vec![Pattern::new(&url).expect("an expression")];
        let selectors = &Selectors { patterns, ..Selectors::default() };
        let (names, softness, at) = (&[][..], Softness::Hard, Moment(0));
        marks.mark(&Marked { selectors, names, softness, at, purge: None }, |_| {})
    };
    let verdict = |path: &str, fence| {
        let target = Target::from_url(&format!("http://a.test{path}")).expect("a target");
        marks.verdict_in_flight(&CacheKey::new(target), &Tags::default(), None, fence, |_| {})
    };
    let under_way = marks.depart();
    for number in 0..MOST_PATTERNS {
        purge(number);
    }
    assert_eq!(verdict("/0/x", under_way.fence()), Verdict::Hard { number: 1 });
    assert_eq!(verdict("/x", under_way.fence()), Verdict::Stands);
    let later = marks.depart();
    purge(MOST_PATTERNS);
    assert_eq!(marks.count(), MOST_PATTERNS);
    // Nobody can say any more whether the first one met it.
    assert_eq!(verdict("/x", under_way.fence()), Verdict::Hard { number: 1 });
    assert_eq!(verdict("/0/x", later.fence()), Verdict::Stands);
    assert!(matches!(verdict("/64/x", later.fence()), Verdict::Hard { .. }));
}
