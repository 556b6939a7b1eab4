//! Error responses: stable codes and reasons, always valid JSON-RPC.

use std::collections::HashSet;

use bailiwick_mcp::error::{call, error_response, result_response};
use bailiwick_mcp::{Envelope, Era, Frame, GatewayError, Limits, Outcome, RawId, Refusal, frame};

#[test]
fn the_gateways_codes_lie_outside_the_reserved_range_and_read_as_statuses() {
    let mut reasons = HashSet::new();
    for error in GatewayError::ALL {
        assert!(!(-32768..=-32000).contains(&error.code()));
        assert!(reasons.insert((error.code(), error.reason())));
        let status = error.status().as_u16();
        assert!(status == 200 || i64::from(status) == error.code() / 100);
        assert_eq!(error.retries_later(), status != 200);
    }
    assert_eq!(GatewayError::PolicyDenied.code(), 40301);
    assert_eq!(GatewayError::UpstreamTimeout.code(), 50401);
}

#[test]
fn a_refusal_says_reason_explanation_and_more() {
    let more = [("executed", "true"), ("rules", "[\"r\\\"1\"]")];
    let refusal = GatewayError::AuditUnavailable.refusal("line\nbreak \u{7}\"quoted\"", &more);
    assert_eq!(refusal.status.as_u16(), 503);
    let answer: serde_json::Value =
        serde_json::from_slice(&refusal.response(RawId::new("\"x\""))).expect("JSON");
    assert_eq!(answer["id"], "x");
    assert_eq!(answer["error"]["code"], 50301);
    assert_eq!(answer["error"]["data"]["reason"], "audit_unavailable");
    assert_eq!(answer["error"]["data"]["explanation"], "line\nbreak \u{7}\"quoted\"");
    assert_eq!(answer["error"]["data"]["executed"], true);
    assert_eq!(answer["error"]["data"]["rules"][0], "r\"1");
}

#[test]
fn what_is_written_can_be_read() {
    let id = RawId::new("7").expect("id");
    for (bytes, is_error) in
        [(error_response(Some(id), -32601, "no", None), true), (result_response(id, b"{\"a\":1}"), false)]
    {
        let Ok(Frame::Answer(answer)) = frame(&bytes, &Limits::default()) else { panic!() };
        assert_eq!(answer.id, Some(id));
        assert_eq!(matches!(answer.outcome, Outcome::Error(_)), is_error);
    }
    for (id, params) in [(Some(id), None), (None, Some(&b"{\"a\":1}"[..])), (Some(id), Some(&b"{}"[..]))] {
        let bytes = call(id, "tools/\"list", params);
        assert!(Envelope::parse(&bytes, &Limits::default()).is_ok());
    }
    assert_eq!(Refusal::method_not_found(Era::MODERN).status.as_u16(), 404);
    assert_eq!(Refusal::method_not_found(Era::V2025_11_25).status.as_u16(), 200);
}
