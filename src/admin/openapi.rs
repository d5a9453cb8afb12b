//! The description of the admin port.

use super::reply;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;

/// OpenAPI 3.1, but for the version.
const DESCRIPTION: &str = include_str!("openapi.json");

/// The description, of this version.
pub(super) fn answer() -> Response<Full<Bytes>> {
    reply::json(DESCRIPTION.replace("VERSION", env!("CARGO_PKG_VERSION")).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::routes::ROUTES;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn each_route_is_described_and_each_description_is_of_a_route() {
        let description: Value = serde_json::from_str(DESCRIPTION).expect("JSON");
        let paths = description["paths"].as_object().expect("paths");
        let described: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().expect("methods").keys();
                methods.map(|method| (path.clone(), method.to_ascii_uppercase()))
            })
            .collect();
        // HEAD goes without saying.
        let routes: BTreeSet<(String, String)> = ROUTES
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.split(", ").filter(|method| *method != "HEAD");
                methods.map(|method| ((*path).to_string(), method.to_string()))
            })
            .collect();
        assert_eq!(described, routes);
        assert_eq!(description["info"]["version"], "VERSION");
    }
}
