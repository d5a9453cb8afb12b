//! Chunked bodies: they end where a plain reading says, in whatever pieces they come.

use super::reference;
use larder::message::ChunkReader;

pub fn check(data: &[u8]) {
    let whole = ChunkReader::default().read(data);
    let Some(size) = data.last().map(|last| usize::from(*last % 7) + 1) else { return };
    for size in [1, size] {
        let (mut reader, mut before, mut read) = (ChunkReader::default(), 0, Ok(None));
        for piece in data.chunks(size) {
            read = reader.read(piece).map(|end| end.map(|end| before + end));
            before += piece.len();
            if read != Ok(None) {
                break;
            }
        }
        assert_eq!(read, whole);
    }
    match whole {
        Ok(Some(length)) => {
            let (_, theirs) = reference::unchunked(data).expect("there is an end");
            assert_eq!(length, theirs);
        }
        // What goes on has no end yet for others either, or they would take what is
        // still to come for a request.
        Ok(None) => assert_eq!(reference::unchunked(data), None),
        Err(_) => {}
    }
}
