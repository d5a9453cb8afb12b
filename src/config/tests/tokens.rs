//! Tokens with a name and a scope.

use super::{complaint, load_file};
use crate::config::{Scope, Secret, Token, TokenText};

fn file(tokens: &str) -> String {
    format!("origin.to = 'app:8000'\n{tokens}")
}

#[test]
fn each_form_of_a_token_is_read() {
    let zeros = "0".repeat(62);
    let text = format!(
        "[[purge.tokens]]\nname = 'a'\ntoken = 'hunter2'\n\
         [[purge.tokens]]\nname = 'b-c@d'\ntoken = 'sha256:{zeros}fF'\nscope = 'tags'\n\
         networks = ['10.0.0.0/8', '::1']\n\
         [[admin.tokens]]\nname = 'a'\ntoken = 'x'\nscope = 'hosts'\n\
         hosts = ['One.test', 'two.test:8080']\n"
    );
    let settings = load_file(&file(&text)).unwrap();
    let mut digest = [0; 32];
    digest[31] = 255;
    let plain = |text: &str| TokenText::Plain(Secret::new(text.to_owned()));
    let networks = ["10.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap()).to_vec();
    let expected = [
        Token { name: "a".to_owned(), token: plain("hunter2"), scope: Scope::All, networks: None },
        Token {
            name: "b-c@d".to_owned(),
            token: TokenText::Digest(digest),
            scope: Scope::Tags,
            networks: Some(networks),
        },
    ];
    assert_eq!(settings.purge.tokens, expected);
    let hosts = ["one.test", "two.test:8080"].map(String::from).to_vec();
    assert_eq!(settings.admin.tokens[0].scope, Scope::Hosts(hosts));
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert_eq!(load_file(&file("purge.tokens = []")).unwrap().purge.tokens, []);
}

#[test]
fn what_is_wrong_with_a_token_is_said_and_the_token_is_not() {
    for (tokens, wrong) in [
        ("[{name = 'a'}]", "`token` of a token is missing"),
        ("[{token = 'hunter2'}]", "`name` of a token is missing"),
        ("[{name = '', token = 'hunter2'}]", "`` can't be the name of a token"),
        ("[{name = 'a b', token = 'hunter2'}]", "`a b` can't be the name of a token"),
        ("[{name = '127.0.0.1', token = 'hunter2'}]", "can't be the name of a token"),
        ("[{name = 'a', token = 'hunter 2'}]", "this can't be a token"),
        ("[{name = 'a', token = 'off'}]", "can't be `off`"),
        ("[{name = 'a', token = 2}]", "a token is a string"),
        ("[{name = 'a', token = 'sha256:hunter2'}]", "this can't be a SHA-256"),
        ("[{name = 'a', token = 'hunter2', scop = 'tags'}]", "did you mean `scope`?"),
        ("[{name = 'a', token = 'hunter2', x = 1}]", "expected one of name, token"),
        ("[{name = 'a', token = 'hunter2', scope = 'tag'}]", "`tag` is not a scope"),
        ("[{name = 'a', token = 'hunter2', scope = 'hosts'}]", "needs `hosts`"),
        ("[{name = 'a', token = 'hunter2', hosts = ['x']}]", "says nothing without its scope"),
        ("[{name = 'a', token = 'hunter2', scope = 'hosts', hosts = []}]", "there is no host"),
        ("[{name = 'a', token = 'hunter2', scope = 'hosts', hosts = ['a/b']}]", "is not a host"),
        ("[{name = 'a', token = 'hunter2', networks = ['x']}]", "`x` is not a network"),
        ("[{name='a', token='hunter2'}, {name='a', token='b'}]", "two tokens named `a`"),
        ("'hunter2'", "expected tables, found a string"),
        ("['hunter2']", "expected tables, found a list"),
        ("[\n'hunter2'\n]", "expected tables, found a list"),
    ] {
        let complaint = complaint(&file(&format!("admin.tokens = {tokens}")));
        assert!(complaint.contains(wrong), "{tokens}: {complaint}");
        assert!(complaint.contains("larder.toml:2:"), "{complaint}");
        assert!(!complaint.contains("hunter"), "{complaint}");
    }
}

#[test]
fn a_mistake_is_pointed_at_in_its_own_table() {
    let text = "[[purge.tokens]]\nname = 'a'\ntoken = 'x'\n[[purge.tokens]]\nname = 'b'\n\
                token = 'y'\nscope = 'everything'\n";
    let expected = "error: `everything` is not a scope\n  --> larder.toml:8:9\n   |\n \
                    8 | scope = 'everything'\n   |         ^^^^^^^^^^^^ one of `all`, `read`, \
                    `tags`, `hosts`";
    assert_eq!(complaint(&file(text)), expected);
}
