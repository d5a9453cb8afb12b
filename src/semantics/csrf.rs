//! Tokens against forged requests, as Django makes them: a visitor's cookie bears a
//! secret, and each form the same secret under a mask of its own.
//!
//! These are Django's own rules (`django.middleware.csrf`), so that its middleware
//! accepts what is made here. Randomness is given; nothing here is a source of it.

use std::fmt;

/// The characters of secrets, masks and tokens, in Django's order: sums of places in it
/// are what a mask is.
const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Bytes below this are spread evenly over the alphabet: four times its length.
const FAIR: u8 = 248;

/// Characters of a secret, and of a mask.
pub const SECRET: usize = 32;

/// Characters of a masked secret.
pub const TOKEN: usize = 2 * SECRET;

/// Whether a text consists of characters of the alphabet alone.
pub(super) fn is_in_alphabet(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_alphanumeric)
}

/// So many characters of the alphabet, each as likely as any other. `random` fills a
/// buffer with random bytes; what is left over of them is dropped.
///
/// # Errors
/// What `random` fails with.
pub fn letters<const N: usize, E>(
    mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<[u8; N], E> {
    let (mut letters, mut count) = ([0; N], 0);
    while count < N {
        // Nearly always enough for a secret at once.
        let mut bytes = [0; 2 * SECRET];
        random(&mut bytes)?;
        for byte in bytes.into_iter().filter(|byte| *byte < FAIR).take(N - count) {
            letters[count] = ALPHABET[usize::from(byte) % ALPHABET.len()];
            count += 1;
        }
    }
    Ok(letters)
}

/// A visitor's secret. It is not shown by accident.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; SECRET]);

impl Secret {
    /// One of these characters, which [`letters`] gives.
    pub fn new(letters: [u8; SECRET]) -> Secret {
        Secret(letters)
    }

    /// Reads a cookie's value: the secret as it is, or masked, as Django wrote it before
    /// 4.0. `None` if Django would take neither.
    pub fn read(value: &[u8]) -> Option<Secret> {
        if !is_in_alphabet(value) {
            return None;
        }
        match value.len() {
            SECRET => value.try_into().ok().map(Secret),
            TOKEN => {
                let (mask, cipher) = value.split_at(SECRET);
                let mut secret = [0; SECRET];
                for (own, (mask, cipher)) in secret.iter_mut().zip(mask.iter().zip(cipher)) {
                    *own =
                        ALPHABET[(place(*cipher) + ALPHABET.len() - place(*mask)) % ALPHABET.len()];
                }
                Some(Secret(secret))
            }
            _ => None,
        }
    }

    /// The secret under a mask: what a form bears. A mask is [`letters`], made for one
    /// answer alone, so that answers that are compressed don't tell what is in all of
    /// them (BREACH).
    ///
    /// ```
    /// use larder::semantics::csrf::Secret;
    ///
    /// let secret = Secret::new(*b"abcdefghijklmnopqrstuvwxyz012345");
    /// let token = secret.masked(*b"0123456789zyxwvutsrqponmlkjihgfe");
    /// assert_eq!(&token[..32], b"0123456789zyxwvutsrqponmlkjihgfe");
    /// assert_eq!(Secret::read(&token), Some(secret));
    /// ```
    pub fn masked(&self, mask: [u8; SECRET]) -> [u8; TOKEN] {
        let mut token = [0; TOKEN];
        let (first, cipher) = token.split_at_mut(SECRET);
        first.copy_from_slice(&mask);
        for (own, (secret, mask)) in cipher.iter_mut().zip(self.0.iter().zip(&mask)) {
            *own = ALPHABET[(place(*secret) + place(*mask)) % ALPHABET.len()];
        }
        token
    }

    /// The secret as a cookie bears it.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The place of a character in the alphabet; 0 for what isn't in it.
fn place(letter: u8) -> usize {
    let place = match letter {
        b'a'..=b'z' => letter - b'a',
        b'A'..=b'Z' => letter - b'A' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        _ => 0,
    };
    usize::from(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// Secret, mask, and what Django 5.2.19's `_mask_cipher_secret` makes of them:
    /// `tests/apps/csrf_vectors.py` writes this file.
    const VECTORS: &str = include_str!("../../tests/apps/csrf_vectors.txt");

    fn text<const N: usize>(text: &str) -> [u8; N] {
        text.as_bytes().try_into().expect("so many characters")
    }

    #[test]
    fn django_masks_and_unmasks_in_the_same_way() {
        let mut count = 0;
        for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let [secret, mask, token] = [(); 3].map(|()| words.next().expect("three words"));
            let secret = Secret::new(text(secret));
            assert_eq!(secret.masked(text(mask)), text(token), "{line}");
            assert_eq!(Secret::read(token.as_bytes()), Some(secret), "{line}");
            count += 1;
        }
        assert!(count >= 50, "{count}");
    }

    #[test]
    fn what_django_would_not_take_is_no_secret() {
        let long = "a".repeat(33);
        for value in ["", "short", &long, &"a".repeat(65), &"-".repeat(32), &"\u{e4}".repeat(16)] {
            assert_eq!(Secret::read(value.as_bytes()), None, "{value}");
        }
        assert!(Secret::read("a".repeat(32).as_bytes()).is_some());
        assert!(!format!("{:?}", Secret::new([b'q'; SECRET])).contains('q'));
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let mut byte = 0_u8;
        let mut counts = [0_usize; 256];
        // All bytes, again and again: what is fair of them falls evenly.
        for _ in 0..62 {
            let drawn: [u8; 248 * 4] = letters(|bytes| {
                for own in bytes {
                    *own = byte;
                    byte = byte.wrapping_add(1);
                }
                Ok::<(), Infallible>(())
            })
            .expect("letters");
            assert!(is_in_alphabet(&drawn));
            drawn.iter().for_each(|letter| counts[usize::from(*letter)] += 1);
        }
        let each: Vec<usize> = ALPHABET.iter().map(|c| counts[usize::from(*c)]).collect();
        let (least, most) = (each.iter().min().expect("62"), each.iter().max().expect("62"));
        assert!(most - least <= most / 50, "{each:?}");
    }

    #[test]
    fn no_randomness_is_no_letters() {
        let none: Result<[u8; 32], &str> = letters(|_| Err("none"));
        assert_eq!(none, Err("none"));
    }

    proptest! {
        #[test]
        fn a_mask_is_taken_off_again(
            secret in "[a-zA-Z0-9]{32}", mask in "[a-zA-Z0-9]{32}", other in "[a-zA-Z0-9]{32}",
        ) {
            let own = Secret::new(text(&secret));
            let token = own.masked(text(&mask));
            prop_assert!(is_in_alphabet(&token));
            prop_assert_eq!(Secret::read(&token), Some(own));
            let others = Secret::new(text(&other)).masked(text(&mask));
            prop_assert_eq!(others == token, other == secret);
        }

        #[test]
        fn any_cookie_can_be_read(value in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(secret) = Secret::read(&value) {
                prop_assert!(is_in_alphabet(secret.as_bytes()));
            }
        }
    }
}
