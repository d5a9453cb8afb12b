use super::*;
use std::future::poll_fn;

fn fill(limit: usize, expected: Option<u64>) -> Fill {
    Fill::new(limit, expected, Arc::new(Account::unlimited()))
}

async fn next(reader: &mut Reader) -> Option<Result<Bytes, BodyError>> {
    let frame = poll_fn(|cx| reader.poll_frame(cx)).await?;
    Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
}

async fn read_all(mut reader: Reader) -> Result<usize, BodyError> {
    let mut total = 0;
    while let Some(chunk) = next(&mut reader).await {
        total += chunk?.len();
    }
    Ok(total)
}

#[tokio::test]
async fn readers_join_at_any_time_and_all_get_everything() {
    let fill = fill(100, None);
    let early = fill.source().read().expect("a reader");
    assert_eq!(fill.push(Bytes::from_static(b"hello ")).await, Pushed::Kept);
    let late = fill.source().read().expect("a reader");
    let waiting = tokio::spawn(read_all(early));
    tokio::task::yield_now().await;
    assert_eq!(fill.push(Bytes::from_static(b"world")).await, Pushed::Kept);
    let filled = fill.finish(None).expect("the whole body");
    assert_eq!(filled.length, 11);
    assert_eq!(waiting.await.expect("no panic").expect("the body"), 11);
    assert_eq!(read_all(late).await.expect("the body"), 11);
}

#[tokio::test]
async fn a_body_that_outgrows_the_limit_waits_for_its_slowest_reader() {
    let fill = fill(10, None);
    let mut slow = fill.source().read().expect("a reader");
    let quick = tokio::spawn(read_all(fill.source().read().expect("a reader")));
    let source = fill.source();
    let piece = Bytes::from(vec![0; WINDOW]);
    let mut pushed = Box::pin(async {
        for _ in 0..4 {
            assert_eq!(fill.push(piece.clone()).await, Pushed::Outgrown);
        }
        fill.finish(None)
    });
    // The writer stands still until the slow reader moves.
    for _ in 0..10 {
        assert!(futures_poll(&mut pushed).is_none());
        tokio::task::yield_now().await;
    }
    assert!(source.0.lock().buffered <= 2 * WINDOW, "no more than a window and a piece");
    let mut got = 0;
    let filled = loop {
        if let Some(filled) = futures_poll(&mut pushed) {
            break filled;
        }
        got += next(&mut slow).await.expect("a piece").expect("whole").len();
        tokio::task::yield_now().await;
    };
    assert!(filled.is_none(), "too large to be stored");
    assert!(source.read().is_none(), "the beginning is gone");
    got += read_all(slow).await.expect("the rest");
    assert_eq!(got, 4 * WINDOW);
    assert_eq!(quick.await.expect("no panic").expect("the body"), 4 * WINDOW);
}

fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    match std::pin::Pin::new(future).poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn an_outgrown_body_that_nobody_reads_is_stopped() {
    let fill = fill(10, None);
    let reader = fill.source().read();
    assert_eq!(fill.push(Bytes::from_static(b"01234567890")).await, Pushed::Outgrown);
    drop(reader);
    assert_eq!(fill.push(Bytes::from_static(b"x")).await, Pushed::NobodyCares);
}

#[tokio::test]
async fn a_reader_that_is_done_takes_nobody_elses_place() {
    let fill = fill(100, None);
    let source = fill.source();
    let mut done = source.read().expect("a reader");
    fill.push(Bytes::from_static(b"all")).await;
    fill.finish(None).expect("the whole body");
    assert!(next(&mut done).await.expect("the piece").is_ok());
    assert!(next(&mut done).await.is_none());
    let late = source.read().expect("a reader");
    assert!(next(&mut done).await.is_none(), "the newcomer's piece");
    drop(done);
    assert_eq!(read_all(late).await.expect("the body"), 3);
}

#[tokio::test]
async fn a_writer_that_goes_away_breaks_the_body() {
    let fill = fill(10, None);
    let mut reader = fill.source().read().expect("a reader");
    fill.push(Bytes::from_static(b"half")).await;
    let source = fill.source();
    drop(fill);
    assert!(source.read().is_none(), "nobody begins what will break off");
    assert!(next(&mut reader).await.expect("the piece").is_ok());
    assert!(next(&mut reader).await.expect("an end").is_err());
}

#[tokio::test(start_paused = true)]
async fn one_who_holds_others_up_for_too_long_is_given_up_on() {
    let fill = fill(10, None);
    let mut slow = fill.source().read().expect("a reader");
    let quick = tokio::spawn(read_all(fill.source().read().expect("a reader")));
    let begun = Instant::now();
    for _ in 0..8 {
        assert_eq!(fill.push(Bytes::from(vec![0; WINDOW])).await, Pushed::Outgrown);
    }
    assert!(begun.elapsed() <= HELD_UP_AT_MOST + LOOK, "{:?}", begun.elapsed());
    fill.finish(None);
    assert_eq!(quick.await.expect("no panic").expect("the body"), 8 * WINDOW);
    let told = next(&mut slow).await.expect("an end");
    assert!(matches!(told, Err(BodyError::TooSlow)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn when_memory_is_scarce_the_slow_are_given_up_on_too_and_each_once() {
    let account = Arc::new(Account::new(100 * WINDOW));
    let _others = account.charge(99 * WINDOW);
    let fill = Fill::new(usize::MAX, None, account);
    let source = fill.source();
    let begun = Instant::now();
    let quick = tokio::spawn(read_all(source.read().expect("a reader")));
    let mut standing = source.read().expect("a reader");
    let mut slow = source.read().expect("a reader");
    let dripping = tokio::spawn(async move {
        let mut last = None;
        while let Some(piece) = next(&mut slow).await {
            last = Some(piece);
            sleep(Duration::from_secs(2)).await;
        }
        last
    });
    for _ in 0..20 {
        fill.push(Bytes::from(vec![0; NARROWEST_WINDOW])).await;
    }
    assert!(begun.elapsed() < 3 * HELD_UP_AT_MOST, "{:?}", begun.elapsed());
    fill.finish(None);
    assert_eq!(quick.await.expect("no panic").expect("the body"), 20 * NARROWEST_WINDOW);
    let told = next(&mut standing).await.expect("an end");
    assert!(matches!(told, Err(BodyError::TooSlow)), "{told:?}");
    let told = dripping.await.expect("no panic");
    assert!(matches!(told, Some(Err(BodyError::TooSlow))), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn those_who_read_alike_hold_nobody_up_but_by_a_pause_of_some_length() {
    let fill = fill(10, None);
    let read = |mut reader: Reader, pause: Duration| {
        tokio::spawn(async move {
            let mut pieces = 0;
            while let Some(piece) = next(&mut reader).await {
                piece.expect("nobody is given up on");
                pieces += 1;
                sleep(if pieces == 200 { pause } else { Duration::from_millis(100) }).await;
            }
            pieces
        })
    };
    let one = read(fill.source().read().expect("a reader"), Duration::from_secs(2));
    let other = read(fill.source().read().expect("a reader"), Duration::from_millis(100));
    // The application is quicker than both: the writer waits most of the time.
    for _ in 0..300 {
        fill.push(Bytes::from(vec![0; WINDOW / 8])).await;
    }
    fill.finish(None);
    assert_eq!((one.await.expect("no panic"), other.await.expect("no panic")), (300, 300));
}

#[tokio::test]
async fn a_piece_is_let_go_when_the_last_of_many_has_read_it() {
    let fill = fill(10, None);
    let source = fill.source();
    let mut readers: Vec<_> = (0..5).map(|_| source.read().expect("a reader")).collect();
    for _ in 0..3 {
        fill.push(Bytes::from(vec![0; 100])).await;
    }
    let in_hand = || source.0.lock().chunks.len();
    // In any order, and whoever leaves wants nothing any more.
    for at in [3, 0, 4, 1] {
        next(&mut readers[at]).await.expect("a piece").expect("whole");
        assert_eq!(in_hand(), 3, "{at}");
    }
    next(&mut readers[2]).await.expect("a piece").expect("whole");
    assert_eq!(in_hand(), 2);
    for at in [2, 2, 1, 1, 0, 0, 4, 4] {
        next(&mut readers[at]).await.expect("a piece").expect("whole");
        assert_eq!(in_hand(), 2, "{at}");
    }
    drop(readers.remove(3));
    assert_eq!(in_hand(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_who_reads_a_little_now_and_then_does_not_hold_others_up_for_ever() {
    let fill = fill(10, None);
    let mut slow = fill.source().read().expect("a reader");
    let dripping = tokio::spawn(async move {
        while let Some(Ok(_)) = next(&mut slow).await {
            sleep(Duration::from_secs(1)).await;
        }
    });
    let quick = tokio::spawn(read_all(fill.source().read().expect("a reader")));
    let begun = Instant::now();
    for _ in 0..400 {
        fill.push(Bytes::from(vec![0; WINDOW / 4])).await;
    }
    assert!(begun.elapsed() < 2 * HELD_UP_AT_MOST, "{:?}", begun.elapsed());
    fill.finish(None);
    assert_eq!(quick.await.expect("no panic").expect("the body"), 100 * WINDOW);
    dripping.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn one_who_reads_alone_may_take_their_time() {
    let fill = fill(10, None);
    let mut reader = fill.source().read().expect("a reader");
    let slow = tokio::spawn(async move {
        let mut total = 0;
        while let Some(piece) = next(&mut reader).await {
            total += piece.expect("a piece").len();
            sleep(Duration::from_secs(20)).await;
        }
        total
    });
    for _ in 0..8 {
        assert_eq!(fill.push(Bytes::from(vec![0; WINDOW])).await, Pushed::Outgrown);
    }
    fill.finish(None);
    assert_eq!(slow.await.expect("no panic"), 8 * WINDOW);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_nobody_reads_is_abandoned_the_sooner_if_it_may_be_endless() {
    for (expected, read, seconds) in [(None, true, 0), (Some(9), true, 60), (None, false, 60)] {
        let fill = fill(100, expected);
        if read {
            drop(fill.source().read());
        }
        let begun = Instant::now();
        fill.abandoned().await;
        assert_eq!(begun.elapsed().as_secs(), seconds, "{expected:?} {read}");
    }
    // While somebody reads it never is.
    let fill = fill(100, None);
    drop(fill.source().read());
    let _reader = fill.source().read();
    assert!(timeout(Duration::from_secs(9999), fill.abandoned()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn when_memory_gets_scarce_what_is_small_enough_is_streamed_too() {
    let account = Arc::new(Account::new(100 * WINDOW));
    let fill = Fill::new(usize::MAX, None, Arc::clone(&account));
    let source = fill.source();
    let mut slow = source.read().expect("a reader");
    let piece = Bytes::from(vec![0; WINDOW]);
    assert_eq!(fill.push(piece.clone()).await, Pushed::Kept);
    let mut others = account.charge(96 * WINDOW);
    assert!(futures_poll(&mut Box::pin(fill.push(piece))).is_none(), "it waits for its reader");
    next(&mut slow).await.expect("a piece").expect("whole");
    next(&mut slow).await.expect("a piece").expect("whole");
    assert!(source.read().is_none(), "the beginning is gone");
    // The less there is left, the less is kept for the slowest.
    for (taken, window) in [(96, NARROW_WINDOW), (99, NARROWEST_WINDOW)] {
        others.set(taken * WINDOW);
        assert_eq!(fill.push(Bytes::from(vec![0; window])).await, Pushed::NoRoom);
        let one_more = Bytes::from_static(b"x");
        assert!(futures_poll(&mut Box::pin(fill.push(one_more))).is_none(), "{window}");
        next(&mut slow).await.expect("a piece").expect("whole");
        next(&mut slow).await.expect("a piece").expect("whole");
    }
    assert!(fill.finish(None).is_none(), "it is not whole any more");
}
