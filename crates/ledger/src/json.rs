//! Records as JSON. What comes out is what `serde_json` writes, with less work: a call has two records, and most of
//! their texts are names and ids in which nothing needs an escape.

use bailiwick_model::record::RawJson;
use serde::Serialize;
use serde::ser::{self, Error as _, Serializer};
use serde_json::Error;

use crate::line::decimal;

/// Appends `value`. Its struct members and variants have names that need no escape, as Rust's identifiers are.
pub(crate) fn write<T: Serialize + ?Sized>(buffer: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(Json { buffer, stands: false })
}

struct Json<'b> {
    buffer: &'b mut Vec<u8>,
    /// The next text is JSON already.
    stands: bool,
}

impl<'b> Json<'b> {
    fn open(self, open: u8, close: u8) -> Within<'b> {
        self.buffer.push(open);
        Within { buffer: self.buffer, empty: true, close }
    }
}

/// A text in which nothing needs an escape.
fn name_of(buffer: &mut Vec<u8>, name: &str) {
    buffer.push(b'"');
    buffer.extend_from_slice(name.as_bytes());
    buffer.push(b'"');
}

/// An object or array that is not closed yet.
struct Within<'b> {
    buffer: &'b mut Vec<u8>,
    empty: bool,
    close: u8,
}

impl Within<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if !std::mem::take(&mut self.empty) {
            self.buffer.push(b',');
        }
        write(self.buffer, value)
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        if !std::mem::take(&mut self.empty) {
            self.buffer.push(b',');
        }
        name_of(self.buffer, name);
        self.buffer.push(b':');
        write(self.buffer, value)
    }

    fn close(self) {
        self.buffer.push(self.close);
    }
}

/// A shape that no record has.
fn foreign<T>() -> Result<T, Error> {
    Err(Error::custom("a record holds a value of a shape that records have not"))
}

impl<'b> Serializer for Json<'b> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Within<'b>;
    type SerializeTuple = Within<'b>;
    type SerializeTupleStruct = Within<'b>;
    type SerializeTupleVariant = ser::Impossible<(), Error>;
    type SerializeMap = Within<'b>;
    type SerializeStruct = Within<'b>;
    type SerializeStructVariant = ser::Impossible<(), Error>;

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if self.stands {
            self.buffer.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        // No early exit, so that the compiler takes many bytes at a time.
        let plain = text.bytes().fold(true, |plain, b| plain & (b >= 0x20) & (b != b'"') & (b != b'\\'));
        if !plain {
            return serde_json::to_writer(self.buffer, text);
        }
        name_of(self.buffer, text);
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        decimal(self.buffer, value);
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        if value < 0 {
            self.buffer.push(b'-');
        }
        decimal(self.buffer, value.unsigned_abs());
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.buffer.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.buffer.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        serde_json::to_writer(self.buffer, &value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<(), Error> {
        foreign()
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        name_of(self.buffer, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let stands = name == RawJson::NAME;
        value.serialize(Json { buffer: self.buffer, stands })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), Error> {
        foreign()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Within<'b>, Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Within<'b>, Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Within<'b>, Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        foreign()
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Within<'b>, Error> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Within<'b>, Error> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        foreign()
    }
}

macro_rules! lists {
    ($($list:ident: $item:ident),*) => {
        $(impl ser::$list for Within<'_> {
            type Ok = ();
            type Error = Error;

            fn $item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

lists!(SerializeSeq: serialize_element, SerializeTuple: serialize_element, SerializeTupleStruct: serialize_field);

impl ser::SerializeStruct for Within<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.member(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeMap for Within<'_> {
    type Ok = ();
    type Error = Error;

    /// Only texts can be names; `serde_json` refuses the rest when it parses, so that nothing else comes here.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Error> {
        self.item(name)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.buffer.push(b':');
        write(self.buffer, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_model::Record;
    use bailiwick_model::record::{AdminChange, AuthFailure, Lifecycle};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn ours<T: Serialize>(value: &T) -> String {
        let mut buffer = Vec::new();
        write(&mut buffer, value).unwrap();
        String::from_utf8(buffer).unwrap()
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_are_written_as_serde_json_writes_them(value in values()) {
            prop_assert_eq!(ours(&value), serde_json::to_string(&value).unwrap());
        }

        #[test]
        fn texts_of_strangers_are_escaped(text in any::<String>(), count in any::<u64>()) {
            let record = Record::AuthFailure(AuthFailure {
                path: &text, peer: "::1", reason: "missing", prefix: Some(&text), count,
            });
            prop_assert_eq!(ours(&record), serde_json::to_string(&record).unwrap());
        }
    }

    #[test]
    fn raw_json_is_written_as_it_stands() {
        assert_eq!(ours(&[RawJson(r#"{"a":"\n"}"#), RawJson("null")]), r#"[{"a":"\n"},null]"#);
    }

    #[test]
    fn records_are_written_as_serde_json_writes_them() {
        let (before, after) = (json!({"a": [1, -2, 0.5, null]}), json!("line\nbreak \u{7f}\u{2028}"));
        let change = |before, after| {
            Record::AdminChange(AdminChange { who: None, operation: "o", object: "x", before, after })
        };
        for record in [
            change(None, None),
            change(Some(&before), Some(&after)),
            Record::Lifecycle(Lifecycle { event: "started", version: "0.1.0", node: "local", backup: None }),
        ] {
            assert_eq!(ours(&record), serde_json::to_string(&record).unwrap());
        }
    }
}
