//! The client of an API as an argument.
#[derive(Clone, FromCall)]
struct Tracker {
    api: Api,
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    impl<C: _omni::Call> _omni::FromCall<C> for Tracker {
        fn from_call(call: &mut C) -> ::core::result::Result<Self, _omni::ActionError> {
            _omni::client::<Self>(call)
        }
    }
};
