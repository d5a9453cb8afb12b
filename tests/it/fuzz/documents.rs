//! Documents of the purge API: all of one is done, or its faults are where it says.

use larder::admin::selectors_of;
use serde_json::Value;

pub fn check(data: &[u8]) {
    let value: Option<Value> = serde_json::from_slice(data).ok();
    match selectors_of(data) {
        Ok(selectors) => {
            let value = value.expect("serde_json reads it too");
            let count = |list: &str| match value.get(list) {
                None => 0,
                Some(list) => list.as_array().unwrap().len(),
            };
            assert_eq!(selectors.keys.len(), 2 * count("urls"));
            assert_eq!(selectors.paths.len(), count("paths"));
            assert_eq!(selectors.tags.len(), count("tags"));
            assert_eq!(selectors.prefixes.len(), count("prefixes"));
            assert_eq!(selectors.hosts.len(), count("hosts"));
            assert_eq!(selectors.patterns.len(), count("patterns"));
            assert_eq!(selectors.everything, value.get("all") == Some(&Value::Bool(true)));
            let sane = |tag: &str| !tag.is_empty() && !tag.chars().any(char::is_control);
            assert!(selectors.tags.iter().all(|tag| sane(tag) && tag.len() <= 1024));
        }
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= 20);
            for (pointer, detail) in faults {
                assert!(!detail.is_empty());
                // A place that there is, if it is JSON at all.
                let there = value.as_ref().is_none_or(|value| value.pointer(&pointer).is_some());
                assert!(there, "{pointer}: {detail}");
            }
        }
    }
}
