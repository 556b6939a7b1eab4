//! JSON as text with positions: the little that a gateway needs of it, without building values.
//!
//! [`Raw`] is one JSON value inside a message, with its offset there, so that bytes can be spliced. `scan` is the
//! strict scanner (grammar, duplicate keys, depth), `skip` the fast one that only balances brackets and
//! strings, `text` reads and writes strings. Used by every other module of this crate.

mod raw;
pub(crate) mod scan;
pub(crate) mod skip;
pub(crate) mod text;

pub use raw::{Member, Object, Raw, member};
pub(crate) use raw::{read_members, refuse_duplicates};
pub use scan::{SyntaxError, validate};
pub use skip::Malformed;
pub use text::{quote, unquote, write_string};
