//! What larder says of its decision in `Cache-Status`, read again.

use crate::semantics::cache_status::Forward;
use crate::semantics::reason::Reason;

/// The last member of `Cache-Status` (RFC 9211), as far as it is larder's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub hit: bool,
    pub forward: Option<Forward>,
    /// Seconds for which the response stays fresh; negative if it is stale.
    pub ttl: Option<i64>,
    /// What the origin answered, where it is not the client's status.
    pub forward_status: Option<u16>,
    pub stored: bool,
    pub collapsed: bool,
    pub filled: bool,
    pub reason: Option<Reason>,
}

impl Decision {
    /// Reads a field's value.
    pub fn read(field: &str) -> Decision {
        let member = field.rsplit(',').next().unwrap_or_default().trim();
        let mut decision = Decision::default();
        for parameter in member.split(';').skip(1) {
            let parameter = parameter.trim();
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                "hit" => decision.hit = true,
                "fwd" => decision.forward = Forward::from_token(value),
                "ttl" => decision.ttl = value.parse().ok(),
                "fwd-status" => decision.forward_status = value.parse().ok(),
                "stored" => decision.stored = true,
                "collapsed" => decision.collapsed = true,
                "filled" => decision.filled = true,
                "detail" => decision.reason = Reason::from_code(value),
                _ => {}
            }
        }
        decision
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_read() {
        let read =
            Decision::read("Other; hit, larder; fwd=stale; fwd-status=304; ttl=-5; collapsed");
        let expected = Decision {
            forward: Some(Forward::Stale),
            forward_status: Some(304),
            ttl: Some(-5),
            collapsed: true,
            ..Decision::default()
        };
        assert_eq!(read, expected);
        let read = Decision::read("larder; fwd=uri-miss; detail=set-cookie");
        assert_eq!((read.reason, read.stored), (Some(Reason::SetCookie), false));
        assert!(Decision::read("larder; hit; ttl=57").hit);
        assert!(Decision::read("larder; hit; ttl=57; filled").filled);
        assert_eq!(Decision::read(""), Decision::default());
    }
}
