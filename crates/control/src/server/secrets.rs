//! Secret values of a server's headers and variables: sealed before the store sees them, opened only when
//! the set of servers is handed to `upstream`.
//!
//! The server's id and the value's name are the associated data, so a sealed value that is moved to another
//! row does not open.

use std::collections::BTreeMap;

use bailiwick_model::ServerId;
use bailiwick_model::server::{Server, Transport, Value};
use bailiwick_store::{Sealed, WriteTx};
use secrecy::SecretString;

use crate::{Control, ControlError};

impl Control {
    /// Seals and stores the values that the server's transport marks as secret. With `keep`, values that
    /// are not given stay as they are.
    pub(super) async fn put_secrets(
        &self,
        tx: &mut WriteTx,
        server: &Server,
        given: BTreeMap<String, SecretString>,
        keep: bool,
    ) -> Result<(), ControlError> {
        let http = matches!(server.transport, Transport::Http { .. });
        let mut given: BTreeMap<String, SecretString> = given
            .into_iter()
            .map(|(name, value)| (if http { name.to_ascii_lowercase() } else { name }, value))
            .collect();
        let held: Vec<String> = tx.secrets().of(server.id).await?.into_keys().collect();
        let marked = marked(&server.transport);
        for name in held.iter().filter(|name| !marked.contains(&name.as_str())) {
            tx.secrets().remove(server.id, name).await?;
        }
        for name in marked {
            match given.remove(name) {
                Some(value) => {
                    let sealed = Sealed(self.seal(server.id, name, &value));
                    tx.secrets().put(server.id, name, &sealed).await?;
                }
                None if keep && held.iter().any(|held| held == name) => {}
                None => {
                    return Err(ControlError::invalid(
                        "transport",
                        format!("the secret {name} has no value"),
                    ));
                }
            }
        }
        match given.into_keys().next() {
            Some(name) => {
                Err(ControlError::invalid("transport", format!("{name} has a value but is no secret")))
            }
            None => Ok(()),
        }
    }
}

/// What a sealed value is bound to.
pub(crate) fn associated(server: ServerId, name: &str) -> String {
    format!("server:{server}:{name}")
}

fn marked(transport: &Transport) -> Vec<&str> {
    let (Transport::Http { headers: values, .. } | Transport::Stdio { env: values, .. }) = transport;
    values.iter().filter(|(_, value)| matches!(value, Value::Secret)).map(|(name, _)| name.as_str()).collect()
}
