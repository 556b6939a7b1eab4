//! `initialize` and `server/discover`: the same knowledge in two shapes.

use crate::Era;
use crate::headers::meta;
use crate::json::{Malformed, Object, Raw, write_string};
use crate::splice::{Edits, ObjectPatch};

/// Identity of the tasks extension, which is incompatible with the core tasks of 2025-11-25.
const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// A `server/discover` result out of a legacy server's `InitializeResult`, for modern clients. `versions` is what the
/// gateway speaks for that server.
///
/// # Errors
/// [`Malformed`] if the result is no object or its capabilities are none.
pub fn discover_from_initialize(initialize: Raw<'_>, versions: &[Era]) -> Result<Vec<u8>, Malformed> {
    let object = initialize.object()?;
    let mut result = ObjectPatch::new();
    result.set("resultType", &b"\"complete\""[..]);
    result.set("supportedVersions", version_list(versions));
    result.set("capabilities", capabilities(&object)?);
    if let Some(instructions) = text(&object, "instructions") {
        result.set("instructions", instructions);
    }
    result.set("ttlMs", &b"0"[..]).set("cacheScope", &b"\"private\""[..]);
    if let Some(info) = object.get("serverInfo").filter(Raw::is_object) {
        let mut meta_object = ObjectPatch::new();
        meta_object.set(meta::SERVER_INFO, info.as_bytes());
        result.set("_meta", meta_object.build().unwrap_or_default());
    }
    Ok(result.build().unwrap_or_default())
}

/// An `InitializeResult` out of a modern server's `server/discover` result, for legacy clients. `name` stands for a
/// server that does not say who it is.
///
/// # Errors
/// [`Malformed`] if the result is no object or its capabilities are none.
pub fn initialize_from_discover(discover: Raw<'_>, era: Era, name: &str) -> Result<Vec<u8>, Malformed> {
    let object = discover.object()?;
    let mut result = ObjectPatch::new();
    result.set_string("protocolVersion", era.as_str());
    result.set("capabilities", capabilities(&object)?);
    let info = match object.get("_meta").filter(Raw::is_object) {
        Some(meta_object) => meta_object.member(meta::SERVER_INFO)?.filter(Raw::is_object),
        None => None,
    };
    match info {
        Some(info) => result.set("serverInfo", info.as_bytes()),
        None => {
            let mut info = ObjectPatch::new();
            info.set_string("name", name).set_string("version", "");
            result.set("serverInfo", info.build().unwrap_or_default())
        }
    };
    if let Some(instructions) = text(&object, "instructions") {
        result.set("instructions", instructions);
    }
    Ok(result.build().unwrap_or_default())
}

/// The params of an `initialize` request in the name of a client; `capabilities` and `info` are JSON text of objects.
pub fn initialize_params(era: Era, capabilities: &str, info: &str) -> Vec<u8> {
    let mut params = ObjectPatch::new();
    params.set_string("protocolVersion", era.as_str());
    params.set("capabilities", capabilities.as_bytes()).set("clientInfo", info.as_bytes());
    params.build().unwrap_or_default()
}

/// The capabilities without tasks, whose core form and extension must never be announced across eras.
fn capabilities(result: &Object<'_>) -> Result<Vec<u8>, Malformed> {
    let Some(raw) = result.get("capabilities") else { return Ok(b"{}".to_vec()) };
    let alone = Raw::new(raw.as_str());
    let object = alone.object()?;
    let mut edits = Edits::new();
    ObjectPatch::new().remove("tasks").edit(&object, &mut edits);
    if let Some(extensions) = object.get("extensions").filter(Raw::is_object) {
        ObjectPatch::new().remove(TASKS_EXTENSION).edit(&extensions.object()?, &mut edits);
    }
    edits.apply(alone.as_bytes()).map_err(|_| Malformed::Structure { at: raw.range().start })
}

/// A member that is a string, as JSON text.
fn text<'a>(object: &Object<'a>, name: &str) -> Option<&'a [u8]> {
    object.get(name).filter(|raw| raw.string().is_some()).map(|raw| raw.as_bytes())
}

fn version_list(versions: &[Era]) -> Vec<u8> {
    let mut out = b"[".to_vec();
    for (i, era) in versions.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_string(&mut out, era.as_str());
    }
    out.push(b']');
    out
}
