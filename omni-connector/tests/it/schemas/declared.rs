//! An action that takes a given type, as the macros declare it.

use std::{marker::PhantomData, sync::LazyLock};

use futures_util::FutureExt;
use jsonschema::Validator;
use omni_connector::{
    ActionCall, BoxFuture, Connector, ManagerClient, SourceType,
    actions::action_answer,
    generated::{self, Action, ActionHead, Arg, ArgType, Args, CallOf, Methods, OfAction},
    schema::check_input_schema,
};
use serde_json::Value;

/// A connector with one action, whose argument or whole input is a `T`. The impls are like those of the macros.
struct Takes<T, const WHOLE: bool>(PhantomData<fn() -> T>);

type CallTo<T, const WHOLE: bool> = CallOf<Takes<T, WHOLE>, OfAction>;

impl<T: ArgType + 'static, const WHOLE: bool> Takes<T, WHOLE> {
    const ARGS: &'static [Arg] = &[Arg::of::<T>("value", "")];

    fn call(
        _: &Self,
        mut call: CallTo<T, WHOLE>,
    ) -> generated::Pending<'_, axum::response::Response> {
        if WHOLE {
            call.supply::<Args<T>>().map(drop)?;
        } else {
            call.input()?.take::<T>().map(drop)?;
        }
        generated::pending(async { anyhow::Ok(()) }, action_answer)
    }

    async fn answer(self, call: ActionCall) -> anyhow::Result<axum::response::Response> {
        self.call_action(call).await
    }
}

/// The only block of [`Takes`].
struct Block;

impl<T: ArgType + 'static, const WHOLE: bool> Methods<Block> for Takes<T, WHOLE> {
    const ACTION_METHODS: &'static [Action<Self>] = &[if WHOLE {
        ActionHead::read("act", "Acts.")
            .call(Self::call)
            .input_of::<Args<T>>()
    } else {
        ActionHead::read("act", "Acts.")
            .call(Self::call)
            .args(Self::ARGS)
    }];
}

impl<T: ArgType + 'static, const WHOLE: bool> generated::Declared for Takes<T, WHOLE> {
    type Config = Value;
    type Credentials = Value;
    type State = Value;
    const NAME: &'static str = "takes";
    const VERSION: &'static str = "1";
    const SOURCE_TYPES: &'static [SourceType] = &[SourceType::Web];
    const TABLE: generated::Table<Self> =
        generated::table_of::<Self, Block>(|| unreachable!("only its type is used"));
}

/// One client for all tests: making it reads the system's certificates, which is slow.
static MANAGER: LazyLock<ManagerClient> =
    LazyLock::new(|| ManagerClient::new("http://127.0.0.1:9"));

/// An input of an action, and the code that the macros would write for it.
pub(super) struct Declared {
    call: fn(ActionCall) -> BoxFuture<'static, anyhow::Result<axum::response::Response>>,
    pub(super) schema: Value,
    pub(super) validator: Validator,
}

impl Declared {
    fn new<T: ArgType + 'static, const WHOLE: bool>() -> Self {
        let schema = Takes::<T, WHOLE>(PhantomData).actions()[0]
            .input_schema
            .clone();
        Self {
            call: |call| Box::pin(Takes::<T, WHOLE>(PhantomData).answer(call)),
            validator: jsonschema::options()
                .should_validate_formats(true)
                .build(&schema)
                .unwrap(),
            schema,
        }
    }

    /// Declares the type as an argument of the action.
    pub(super) fn argument<T: ArgType + 'static>() -> Self {
        Self::new::<T, false>()
    }

    /// Declares the type as the whole input.
    pub(super) fn whole<T: ArgType + 'static>() -> Self {
        Self::new::<T, true>()
    }

    /// Calls the action with an input.
    pub(super) fn decode(&self, params: &Value) -> anyhow::Result<()> {
        let call = ActionCall {
            action: "act".to_owned(),
            params: params.clone(),
            credentials: None,
            source: None,
            actor_email: None,
            manager: MANAGER.clone(),
        };
        (self.call)(call).now_or_never().unwrap().map(drop)
    }

    /// Removes the keys that are dropped before decoding.
    pub(super) fn without_unknown(&self, mut input: Value) -> Value {
        if let (Value::Object(fields), Value::Bool(false)) =
            (&mut input, &self.schema["additionalProperties"])
        {
            fields.retain(|name, _| self.schema["properties"].get(name).is_some());
        }
        input
    }

    pub(super) fn is_fit_for_omni(&self) {
        assert_eq!(check_input_schema(&self.schema), Ok(()), "{}", self.schema);
        assert_eq!(
            super::problems(&self.schema),
            Vec::<String>::new(),
            "{}",
            self.schema
        );
    }
}
