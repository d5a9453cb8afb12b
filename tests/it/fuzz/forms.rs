//! What an app says of its placeholders: understood whole, or the page is not shown; and
//! nobody is shown that it said anything.

use super::reference::{fields, lines};
use http::header::VARY;
use http::{Method, StatusCode};
use larder::semantics::csrf::Secret;
use larder::semantics::form::{Filling, Form, for_one_visitor};
use larder::semantics::offer::{LARDER_FILL, Offer};

/// Field lines of a response.
pub fn check(data: &[u8]) {
    let all = fields(lines(data));
    for (csrf, nonce) in [(true, true), (true, false), (false, true), (false, false)] {
        let offer = Offer { csrf, nonce };
        for status in [StatusCode::OK, StatusCode::PARTIAL_CONTENT, StatusCode::NOT_MODIFIED] {
            let mut left = all.clone();
            let taken = offer.take(&Method::GET, status, &mut left);
            assert!(!left.contains_key(LARDER_FILL));
            let vary = left.get_all(VARY).iter().flat_map(|v| v.as_bytes().split(|b| *b == b','));
            let is_it = |m: &[u8]| m.trim_ascii().eq_ignore_ascii_case(b"larder-fill");
            assert!(!vary.into_iter().any(is_it), "{left:?}");
            let said: Vec<_> = all.get_all(LARDER_FILL).iter().collect();
            match taken {
                Ok(Some((form, _))) => {
                    let may_bear = status != StatusCode::PARTIAL_CONTENT;
                    assert!(may_bear && offer.covers(&form) && said.len() == 1);
                    can_be_filled(&form, said[0].as_bytes(), &mut left);
                }
                Ok(None) => assert!(said.is_empty()),
                Err(_) => assert!(!said.is_empty()),
            }
        }
    }
}

fn can_be_filled(form: &Form, said: &[u8], fields: &mut http::HeaderMap) {
    let filling = Filling { csrf: Some([b'*'; 64]), nonce: Some([b'*'; 32]) };
    let pairs: Vec<_> = form.pairs(&filling).collect();
    assert!(!pairs.is_empty());
    for (placeholder, own) in &pairs {
        assert!(
            placeholder.len() == own.len() && placeholder.iter().all(u8::is_ascii_alphanumeric)
        );
        assert!(said.windows(placeholder.len()).any(|window| window == *placeholder));
    }
    for_one_visitor(fields);
    form.fill_fields(&filling, fields);
    let kept = |value: &[u8]| pairs.iter().any(|(p, _)| value.windows(p.len()).any(|w| w == *p));
    assert!(!fields.values().any(|value| kept(value.as_bytes())), "{fields:?}");
    if let Some(csrf) = &form.csrf {
        let line = csrf.cookie.set_to(&Secret::new([b's'; 32]));
        let set = http::HeaderMap::from_iter([(http::header::SET_COOKIE, line)]);
        assert_eq!(csrf.cookie.set_by(&set), Some(Secret::new([b's'; 32])));
    }
}
