//! What few responses have: kept apart, so that the others don't take room for it.

use super::lines::Lines;
use crate::semantics::form::Form;
use crate::semantics::no_vary_search::SearchVariance;
use crate::semantics::partial::Part;
use crate::semantics::query::QueryContent;
use crate::semantics::tags::Tags;
use crate::semantics::vary::{NominatedFields, VariantKey};
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

/// What few responses have; most are plain answers to a GET.
#[derive(Clone, Debug, PartialEq)]
pub struct Special {
    /// Fields that are for this cache alone and never sent; what the origin
    /// confirms is judged by them too.
    pub own_fields: Lines,
    /// The content of the QUERY that it answers; none for GET. Only requests
    /// with the same are answered with it (RFC 10008).
    pub query: Option<Arc<QueryContent>>,
    /// By what it may answer other queries of its path; then it is stored under
    /// the canonical one of them.
    pub variance: Option<Arc<SearchVariance>>,
    /// What it is a part of, if it isn't complete; its status then is 206.
    pub part: Option<Part>,
    /// What is to be filled in it for each visitor, who are never shown it as it is.
    pub form: Option<Arc<Form>>,
    /// What the response's `Vary` nominates.
    pub nominated: NominatedFields,
    /// What the request that brought it selects by these fields.
    pub variant: VariantKey,
    /// The tags and groups it bears.
    pub tags: Tags,
}

impl Default for Special {
    fn default() -> Special {
        Special {
            own_fields: Lines::default(),
            query: None,
            variance: None,
            part: None,
            form: None,
            nominated: NominatedFields::Named([].into()),
            variant: VariantKey::default(),
            tags: Tags::default(),
        }
    }
}

static NOTHING: LazyLock<Special> = LazyLock::new(Special::default);

/// That, or nothing of it, which takes no room.
#[derive(Clone, Debug, Default)]
pub struct Rare(Option<Box<Special>>);

impl Rare {
    /// Changes something about it.
    pub fn change(&mut self, change: impl FnOnce(&mut Special)) {
        let mut special = self.0.take().unwrap_or_default();
        change(&mut special);
        self.0 = Some(special).filter(|special| **special != *NOTHING);
    }

    /// Bytes that it takes in memory, but for the names of tags in the index.
    pub(super) fn weight(&self) -> usize {
        let Some(special) = &self.0 else { return 0 };
        let tags = special.tags.global.iter().chain(special.tags.groups.iter());
        let tags: usize = tags.map(|tag| tag.len() + size_of::<Box<str>>() + 16).sum();
        let names = match &special.nominated {
            NominatedFields::Any => 0,
            NominatedFields::Named(names) => size_of_val(&**names),
        };
        let query = special.query.as_ref().map_or(0, |query| query.weight());
        let form = special.form.as_ref().map_or(0, |form| form.weight());
        let texts = special.own_fields.as_bytes().len() + special.variant.as_bytes().len();
        size_of::<Special>() + 64 + tags + names + query + form + texts
    }
}

impl From<Special> for Rare {
    fn from(special: Special) -> Rare {
        let mut rare = Rare::default();
        rare.change(|own| *own = special);
        rare
    }
}

impl Deref for Rare {
    type Target = Special;

    fn deref(&self) -> &Special {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_takes_no_room() {
        let mut rare = Rare::from(Special::default());
        assert!(rare.0.is_none() && rare.weight() == 0 && rare.part.is_none());
        let part = Part { first: 1, complete: 2, short: false };
        rare.change(|rare| rare.part = Some(part));
        assert!(rare.part == Some(part) && rare.weight() > size_of::<Special>());
        rare.change(|rare| rare.part = None);
        assert!(rare.0.is_none());
    }
}
