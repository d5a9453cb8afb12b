use super::*;

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
