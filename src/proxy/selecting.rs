//! Which of the variants in one place a request selects.

use crate::semantics::language;
use crate::semantics::policy::Policy;
use crate::semantics::vary::{NominatedFields, VariantKey};
use crate::storage::Content;
use http::HeaderMap;
use http::header::CONTENT_LANGUAGE;
use std::rc::Rc;

/// What the fields of a request select. The first few variants are compared as they are;
/// where there are more, what the request selects is worked out once for nominated fields
/// that repeat, and nearly always all variants nominate the same. So a request costs no
/// more for the many variants that somebody may have had stored before it.
pub(super) struct Selecting<'a> {
    fields: &'a HeaderMap,
    policy: &'a Policy,
    compared: usize,
    last: Option<(NominatedFields, Option<VariantKey>)>,
    /// The language that the request likes best, once that has been asked.
    best_language: Option<Option<Rc<[u8]>>>,
}

/// Variants that are compared before a key is worked out.
const COMPARED: usize = 4;

impl<'a> Selecting<'a> {
    pub fn of(fields: &'a HeaderMap, policy: &'a Policy) -> Selecting<'a> {
        Selecting { fields, policy, compared: 0, last: None, best_language: None }
    }

    fn key(&mut self, nominated: &NominatedFields) -> Option<&VariantKey> {
        if self.last.as_ref().is_none_or(|(known, _)| known != nominated) {
            let key = nominated.select(self.fields, self.policy);
            self.last = Some((nominated.clone(), key));
        }
        self.last.as_ref().and_then(|(_, key)| key.as_ref())
    }

    /// Whether all that a stored response nominates is the same in the request.
    pub fn selects(&mut self, content: &Content) -> bool {
        let (nominated, variant) = (&content.rare.nominated, &content.rare.variant);
        if self.compared < COMPARED {
            self.compared += 1;
            return nominated.selects(self.fields, variant, self.policy);
        }
        self.key(nominated) == Some(variant)
    }

    /// Whether it is the same but for the language, and that is the one which the request
    /// likes best.
    pub fn selects_language(&mut self, content: &Content) -> bool {
        let (nominated, variant) = (&content.rare.nominated, &content.rare.variant);
        let fields = self.fields;
        let best = self.best_language.get_or_insert_with(|| {
            let best = language::preferred(fields);
            best.map(Rc::from)
        });
        let Some(best) = best.clone() else { return false };
        let languages = content.lines.values(&CONTENT_LANGUAGE);
        self.key(nominated).is_some_and(|selected| {
            language::chooses(&best, selected, nominated, variant, languages)
        })
    }
}
