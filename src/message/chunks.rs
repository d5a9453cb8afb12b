//! The strict reading of chunks (RFC 9112 section 7.1), byte for byte: where a
//! chunked body ends, so that nobody takes a part of it for a request.

/// The most bytes of a body that say nothing to anybody: leading zeros, white space and
/// extensions in its size lines, and trailers.
const MOST_THAT_SAYS_NOTHING: usize = 16 << 10;

/// Digits that a size may need.
const DIGITS: u8 = 16;

/// Reads one chunked body, in whatever pieces it comes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChunkReader {
    at: At,
    /// Of a size, or of a chunk what is left of it.
    size: u64,
    digits: u8,
    /// Bytes that said nothing so far.
    said_nothing: usize,
}

/// Which byte comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
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

/// What bytes of a chunked body are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The end of a chunk, if one came before, and the size line of the next.
    Framing,
    /// A chunk's data.
    Data,
    /// Trailer fields, and the empty line behind them.
    Trailers,
    /// The same, to the end of the body.
    End,
}

/// A byte stands where it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misplaced;

impl ChunkReader {
    /// Reads on to where another part begins: how many of these bytes that takes, and
    /// what they are.
    ///
    /// # Errors
    /// At the first byte that is [`Misplaced`]: then nothing behind it is known.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(usize, Part), Misplaced> {
        if self.at == At::Data {
            return Ok((self.data(bytes.len()), Part::Data));
        }
        if self.at == At::DataReturn
            && let Some((length, size)) = plain_framing(bytes)
        {
            (self.at, self.size) = (At::Data, size);
            return Ok((length, Part::Framing));
        }
        let part = if self.at < At::Trailer { Part::Framing } else { Part::Trailers };
        let mut read = 0;
        while read < bytes.len() {
            read += self.line(&bytes[read..])?;
            let Some(byte) = bytes.get(read) else { break };
            let before = self.at;
            self.at = self.step(*byte)?;
            read += 1;
            match self.at {
                At::Data => return Ok((read, part)),
                At::Trailer if part == Part::Framing => return Ok((read, part)),
                _ if before == At::LastLineFeed => return Ok((read, Part::End)),
                _ => {}
            }
        }
        Ok((bytes.len(), part))
    }

    /// Reads what is left of an extension or a trailer's value, up to the end of its
    /// line, in one go; how many bytes that is.
    fn line(&mut self, bytes: &[u8]) -> Result<usize, Misplaced> {
        let length = match self.at {
            At::Extension | At::Value => memchr::memchr(b'\r', bytes).unwrap_or(bytes.len()),
            _ => return Ok(0),
        };
        if super::head::has_control(&bytes[..length]) {
            return Err(Misplaced);
        }
        self.nothing(length)?;
        Ok(length)
    }

    /// What is left of the chunk whose data comes next; `None` if none does.
    pub fn left(&self) -> Option<u64> {
        (self.at == At::Data).then_some(self.size)
    }

    /// The last chunk has been read.
    pub fn is_behind_chunks(&self) -> bool {
        self.at >= At::Trailer
    }

    /// Behind a chunk's data: reads the chunks that lie whole in these bytes, as far as
    /// each has less than `large` bytes and a plain size, and adds their data to `data`;
    /// how many bytes that is.
    pub fn whole_chunks(&mut self, bytes: &[u8], large: u64, data: &mut Vec<u8>) -> usize {
        let mut rest = bytes;
        while self.at == At::DataReturn
            && let Some((length, size)) = plain_framing(rest)
            && size < large
            && let Some((chunk, behind)) = rest[length..].split_at_checked(size as usize)
        {
            data.extend_from_slice(chunk);
            rest = behind;
        }
        bytes.len() - rest.len()
    }

    fn data(&mut self, length: usize) -> usize {
        let taken = usize::try_from(self.size).unwrap_or(usize::MAX).min(length);
        self.size -= taken as u64;
        if self.size == 0 {
            self.at = At::DataReturn;
        }
        taken
    }

    fn step(&mut self, byte: u8) -> Result<At, Misplaced> {
        match (self.at, byte) {
            (At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.digit(byte),
            (At::Size, b' ' | b'\t') if self.digits > 0 => {
                self.nothing(1).map(|()| At::BeforeExtension)
            }
            (At::BeforeExtension, b' ' | b'\t') => self.nothing(1).map(|()| At::BeforeExtension),
            (At::Size, b';') if self.digits > 0 => self.nothing(1).map(|()| At::Extension),
            (At::BeforeExtension, b';') => self.nothing(1).map(|()| At::Extension),
            (At::Size, b'\r') if self.digits > 0 => Ok(At::SizeLineFeed),
            (At::Extension, b'\r') => Ok(At::SizeLineFeed),
            (At::SizeLineFeed, b'\n') if self.size > 0 => Ok(At::Data),
            (At::SizeLineFeed, b'\n') => Ok(At::Trailer),
            (At::DataReturn, b'\r') => Ok(At::DataLineFeed),
            (At::DataLineFeed, b'\n') => {
                self.digits = 0;
                Ok(At::Size)
            }
            (At::Trailer, b'\r') => Ok(At::LastLineFeed),
            (At::Trailer | At::Name, _) if super::head::is_in_tokens(byte) => {
                self.nothing(1).map(|()| At::Name)
            }
            (At::Name, b':') => Ok(At::Value),
            (At::Value, b'\r') => Ok(At::ValueLineFeed),
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
        if self.digits == DIGITS {
            return self.nothing(1).map(|()| At::Size);
        }
        self.digits += 1;
        Ok(At::Size)
    }

    /// So many bytes say nothing.
    fn nothing(&mut self, count: usize) -> Result<(), Misplaced> {
        self.said_nothing = self.said_nothing.saturating_add(count);
        (self.said_nothing < MOST_THAT_SAYS_NOTHING).then_some(()).ok_or(Misplaced)
    }
}

/// What stands between two chunks nearly always, a size in few digits and no more: its
/// length in bytes, and the size. `None` if anything else stands there, or may.
fn plain_framing(bytes: &[u8]) -> Option<(usize, u64)> {
    const FEW: usize = 8;
    // Those who make the most of them have one digit.
    if let [b'\r', b'\n', digit, b'\r', b'\n', ..] = bytes {
        let size = char::from(*digit).to_digit(16).filter(|size| *size > 0)?;
        return Some((5, u64::from(size)));
    }
    let line = bytes.strip_prefix(b"\r\n")?;
    let mut size = 0;
    for (digits, byte) in line.iter().take(FEW).enumerate() {
        if let Some(digit) = char::from(*byte).to_digit(16) {
            size = size << 4 | u64::from(digit);
            continue;
        }
        let is_plain = size > 0 && line[digits..].starts_with(b"\r\n");
        return is_plain.then_some((digits + 4, size));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The content, and where the body ends, if it does.
    type Body = (Vec<u8>, Option<usize>);

    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Body, Misplaced> {
        let (mut reader, mut content, mut before) = (ChunkReader::default(), Vec::new(), 0);
        for mut piece in pieces {
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

    #[test]
    fn a_body_ends_behind_its_last_chunk_and_its_trailers() {
        for (text, content) in [
            ("0\r\n\r\n", ""),
            ("3\r\nabc\r\n0\r\n\r\n", "abc"),
            ("000\r\n\r\n", ""),
            ("A\r\n0\r\n\r\n12345\r\n0\r\n\r\n", "0\r\n\r\n12345"),
            ("3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n", "abc"),
            ("3 \t; a\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
            ("3\r\nabc\r\n0\r\nX: y\r\nZ:\r\n\r\n", "abc"),
        ] {
            let bytes = format!("{text}GET / HTTP/1.1\r\n");
            let expected = (content.as_bytes().to_vec(), Some(text.len()));
            assert_eq!(read([bytes.as_bytes()]), Ok(expected), "{text:?}");
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
            assert_eq!(read([text.as_bytes()]), Err(Misplaced), "{text:?}");
        }
        let largest = "7fffffffffffffff\r\nabc";
        assert_eq!(read([largest.as_bytes()]), Ok((b"abc".to_vec(), None)));
    }

    #[test]
    fn what_says_nothing_has_a_bound() {
        let most = MOST_THAT_SAYS_NOTHING - 1;
        for (before, piece, behind) in [("3;", "x", "\r\n"), ("3", " ", ";\r\n"), ("", "0", "")] {
            let (mut reader, piece) = (ChunkReader::default(), piece.as_bytes());
            // One is taken by the semicolon; of the zeros a size has some.
            let free = if before.is_empty() { usize::from(DIGITS) + 1 } else { 0 };
            assert!(reader.read(before.as_bytes()).is_ok());
            assert!(reader.read(&piece.repeat(most - 1 + free)).is_ok());
            let mut full = reader;
            assert!(reader.read(behind.as_bytes()).is_ok());
            assert!(full.read(&piece.repeat(2)).is_err());
        }
        // Names of trailers count, and their values.
        for (line, counted) in [(b"X:yyyyyy\r\n", 7), (b"XXXXXX:y\r\n", 7)] {
            let mut reader = ChunkReader::default();
            assert!(reader.read(b"0\r\n").is_ok());
            assert!(reader.read(&line.repeat(most / counted)).is_ok());
            assert!(reader.read(line).is_err());
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_which_pieces_chunks_come(
            text in "([0-9a]{1,2}(;[a-z]{0,3})?\r\n[a-z]{0,12}(\r\n)?){0,4}0\r\n(X: [a-z]{0,5}\r\n)?\r\n[A-Z]{0,5}",
            size in 1usize..9,
        ) {
            let pieces = read(text.as_bytes().chunks(size));
            prop_assert_eq!(pieces, read([text.as_bytes()]));
        }
    }
}
