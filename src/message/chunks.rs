//! The strict reading of chunks (RFC 9112 section 7.1), byte for byte: where a
//! chunked body ends, so that nobody takes a part of it for a request.

/// Reads one chunked body, in whatever pieces it comes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChunkReader {
    at: At,
    /// Of a size, or of a chunk what is left of it.
    size: u64,
    digits: u8,
}

/// Which byte comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Size,
    /// White space between a size and its extension.
    BeforeExtension,
    Extension,
    SizeLineFeed,
    Data,
    DataReturn,
    DataLineFeed,
    /// A trailer field's name, or the last line.
    Trailer,
    Name,
    Value,
    ValueLineFeed,
    LastLineFeed,
}

/// A byte stands where it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misplaced;

impl ChunkReader {
    /// Reads on; how many of these bytes belong to the body, if it ends in them.
    ///
    /// # Errors
    /// At the first byte that is [`Misplaced`]: then nothing behind it is known.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<usize>, Misplaced> {
        let mut next = 0;
        while next < bytes.len() {
            if self.at == At::Data {
                let left = u64::try_from(bytes.len() - next).unwrap_or(u64::MAX);
                let taken = self.size.min(left);
                self.size -= taken;
                next += usize::try_from(taken).unwrap_or(usize::MAX);
                if self.size == 0 {
                    self.at = At::DataReturn;
                }
                continue;
            }
            let over = self.at == At::LastLineFeed;
            self.at = self.step(bytes[next])?;
            next += 1;
            if over {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    fn step(&mut self, byte: u8) -> Result<At, Misplaced> {
        let text = matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
        match (self.at, byte) {
            (At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.digit(byte),
            (At::Size, b' ' | b'\t') if self.digits > 0 => Ok(At::BeforeExtension),
            (At::BeforeExtension, b' ' | b'\t') => Ok(At::BeforeExtension),
            (At::Size, b';') if self.digits > 0 => Ok(At::Extension),
            (At::BeforeExtension, b';') => Ok(At::Extension),
            (At::Size, b'\r') if self.digits > 0 => Ok(At::SizeLineFeed),
            (At::Extension, b'\r') => Ok(At::SizeLineFeed),
            (At::Extension, _) if text => Ok(At::Extension),
            (At::SizeLineFeed, b'\n') if self.size > 0 => Ok(At::Data),
            (At::SizeLineFeed, b'\n') => Ok(At::Trailer),
            (At::DataReturn, b'\r') => Ok(At::DataLineFeed),
            (At::DataLineFeed, b'\n') => {
                self.digits = 0;
                Ok(At::Size)
            }
            (At::Trailer, b'\r') => Ok(At::LastLineFeed),
            (At::Trailer | At::Name, _) if super::head::is_in_tokens(byte) => Ok(At::Name),
            (At::Name, b':') => Ok(At::Value),
            (At::Value, b'\r') => Ok(At::ValueLineFeed),
            (At::Value, _) if text => Ok(At::Value),
            (At::ValueLineFeed, b'\n') => Ok(At::Trailer),
            (At::LastLineFeed, b'\n') => Ok(At::Size),
            _ => Err(Misplaced),
        }
    }

    /// Hexadecimal, below 2^63.
    fn digit(&mut self, byte: u8) -> Result<At, Misplaced> {
        let digit = char::from(byte).to_digit(16).ok_or(Misplaced)?;
        let size = self.size.checked_mul(16).filter(|size| *size <= i64::MAX as u64);
        self.size = size.ok_or(Misplaced)? + u64::from(digit);
        self.digits = self.digits.saturating_add(1);
        Ok(At::Size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_ends_behind_its_last_chunk_and_its_trailers() {
        for text in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "000\r\n\r\n",
            "A\r\n0\r\n\r\n12345\r\n0\r\n\r\n",
            "3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n",
            "3 \t; a\r\nabc\r\n0\r\n\r\n",
            "3\r\nabc\r\n0\r\nX: y\r\nZ:\r\n\r\n",
        ] {
            let bytes = format!("{text}GET / HTTP/1.1\r\n");
            assert_eq!(
                ChunkReader::default().read(bytes.as_bytes()),
                Ok(Some(text.len())),
                "{text:?}"
            );
        }
    }

    #[test]
    fn anything_else_is_misplaced() {
        for text in [
            "\r\n",
            ";a\r\n",
            " 3\r\n",
            "3 \r\n",
            "3 3\r\n",
            "3\n",
            "3\rx",
            "-1\r\n",
            "+1\r\n",
            "0x3\r\n",
            "3;a\n",
            "3;\0\r\n",
            "3;\x7f\r\n",
            "3;a\rb",
            "8000000000000000\r\n",
            "10000000000000000\r\n",
            "3\r\nabcd",
            "3\r\nabc\n",
            "3\r\nabc\rx",
            "0\r\n\n",
            "0\r\nX\r\n",
            "0\r\n X: y\r\n",
            "0\r\nX : y\r\n",
            "0\r\n: y\r\n",
            "0\r\nX: y\n",
            "0\r\nX: \x01\r\n",
            "0\r\n\rx",
        ] {
            assert_eq!(ChunkReader::default().read(text.as_bytes()), Err(Misplaced), "{text:?}");
        }
        let largest = "7fffffffffffffff\r\nabc";
        assert_eq!(ChunkReader::default().read(largest.as_bytes()), Ok(None));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_which_pieces_chunks_come(
            text in "([0-9a]{1,2}(;[a-z]{0,3})?\r\n[a-z]{0,12}(\r\n)?){0,4}0\r\n(X: [a-z]{0,5}\r\n)?\r\n[A-Z]{0,5}",
            size in 1usize..9,
        ) {
            let whole = ChunkReader::default().read(text.as_bytes());
            let (mut reader, mut before, mut read) = (ChunkReader::default(), 0, Ok(None));
            for piece in text.as_bytes().chunks(size) {
                read = reader.read(piece).map(|end| end.map(|end| before + end));
                before += piece.len();
                if read != Ok(None) {
                    break;
                }
            }
            prop_assert_eq!(read, whole);
        }
    }
}
