//! Chunked bodies: they end where a plain reading says, in whatever pieces they come, and
//! bear the same.

use super::reference;
use larder::message::{ChunkReader, Misplaced, Part};

/// The content of what comes in pieces of a size, and its end, if there is one.
fn read(data: &[u8], size: usize) -> Result<(Vec<u8>, Option<usize>), Misplaced> {
    let (mut reader, mut content, mut before) = (ChunkReader::default(), Vec::new(), 0);
    for mut piece in data.chunks(size) {
        while !piece.is_empty() {
            let (length, part) = reader.read(piece)?;
            before += length;
            match part {
                Part::Data => content.extend_from_slice(&piece[..length]),
                Part::End => return Ok((content, Some(before))),
                Part::Framing | Part::Trailers => {}
            }
            piece = &piece[length..];
        }
    }
    Ok((content, None))
}

pub fn check(data: &[u8]) {
    let Some(size) = data.last().map(|last| usize::from(*last % 7) + 1) else { return };
    let whole = read(data, data.len());
    for size in [1, size] {
        assert_eq!(read(data, size), whole);
    }
    // What goes on has no end yet for others either, or they would take what is still to
    // come for a request.
    if let Ok(whole) = whole {
        assert_eq!(whole, reference::unchunked(data));
    }
}
