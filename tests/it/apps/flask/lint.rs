//! What is found in a real app's answers.

use super::BY_SESSION;
use crate::apps::shop;
use crate::lint::findings;

#[test]
fn flask_login_has_static_files_vary_on_cookie_and_it_is_told() {
    let site = shop().with(&BY_SESSION).open();
    for _ in 0..3 {
        let answer = site.get("/static/shop.css");
        assert_eq!(answer.field("vary"), Some("Cookie"), "{:?}", answer.fields);
    }
    let (found, _) = findings(&site.larder);
    let told = &found["static-vary-cookie"];
    assert_eq!(told["example"], "http://site.test/static/shop.css");
    assert_eq!(told["seen"], 3);
    assert!(told["fix"]["flask"].as_str().is_some_and(|fix| fix.contains("Flask-Login")));
    assert_eq!(found.len(), 1, "{found:?}");
}
