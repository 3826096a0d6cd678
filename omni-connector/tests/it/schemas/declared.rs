//! An action that takes a type, as the macros declare it.

use std::{marker::PhantomData, sync::LazyLock};

use futures_util::FutureExt;
use jsonschema::Validator;
use omni_connector::{
    ActionCall, ActionMode, BoxFuture, Connector, ManagerClient, Operator, ServiceCredential,
    Source, SourceType, SyncContext, SyncType,
    actions::answer,
    async_trait,
    declare::{self, Action, Arg, ArgType, Args, CallOf, FromCall, Methods, OfAction, call_action},
    schema::check_input_schema,
};
use serde_json::Value;

/// A connector with one action, whose argument or whole input is a `T`: what the macros write for it.
struct Takes<T, const WHOLE: bool>(PhantomData<fn() -> T>);

type CallTo<T, const WHOLE: bool> = CallOf<Takes<T, WHOLE>, OfAction>;

impl<T: ArgType + 'static, const WHOLE: bool> Takes<T, WHOLE> {
    const ARGS: &'static [Arg] = &[Arg::of::<T>("value", "")];

    fn call(_: &Self, mut call: CallTo<T, WHOLE>) -> declare::Called<'_, axum::response::Response> {
        if WHOLE {
            call.supply::<Args<T>>().map(drop)?;
        } else {
            call.input()?.take::<T>().map(drop)?;
        }
        let returned: anyhow::Result<()> = Ok(());
        Ok(Box::pin(async move { answer(returned) }))
    }
}

impl<T: ArgType + 'static, const WHOLE: bool> Methods for Takes<T, WHOLE> {
    const SYNCS: &'static [declare::Sync<Self>] = &[];
    const ACTIONS: &'static [Action<Self>] = &[Action {
        name: "act",
        description: "Acts.",
        mode: ActionMode::Read,
        args: if WHOLE { &[] } else { Self::ARGS },
        input: if WHOLE {
            <Args<T> as FromCall<CallTo<T, WHOLE>>>::INPUT
        } else {
            None
        },
        output: None,
        scopes: None,
        source_types: &[SourceType::Web],
        admin_only: false,
        hidden: false,
        timeout: None,
        call: Self::call,
    }];
    const OPERATORS: &'static [Operator] = &[];
}

impl<T: ArgType + 'static, const WHOLE: bool> declare::Declared for Takes<T, WHOLE> {
    const NAME: &'static str = "takes";
    const SOURCE_TYPES: &'static [SourceType] = &[SourceType::Web];
    const MODES: &'static [SyncType] = &[];
    const ACTIONS: &'static [Action<Self>] = &[];
    const OPERATORS: &'static [Operator] = &[];
}

#[async_trait]
impl<T: ArgType + 'static, const WHOLE: bool> Connector for Takes<T, WHOLE> {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "takes"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        _: Option<Value>,
        _: SyncContext,
    ) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Making a client reads the system's certificates, which takes its time.
static MANAGER: LazyLock<ManagerClient> =
    LazyLock::new(|| ManagerClient::new("http://127.0.0.1:9"));

/// An input as an action declares it, and what the macros write for it.
pub(super) struct Declared {
    call: fn(ActionCall) -> BoxFuture<'static, anyhow::Result<axum::response::Response>>,
    pub(super) schema: Value,
    pub(super) validator: Validator,
}

impl Declared {
    fn new<T: ArgType + 'static, const WHOLE: bool>() -> Self {
        let schema = declare::actions::<Takes<T, WHOLE>>()[0]
            .input_schema
            .clone();
        Self {
            call: |call| call_action(&Takes::<T, WHOLE>(PhantomData), call),
            validator: jsonschema::options()
                .should_validate_formats(true)
                .build(&schema)
                .unwrap(),
            schema,
        }
    }

    /// A value as an argument of the action.
    pub(super) fn argument<T: ArgType + 'static>() -> Self {
        Self::new::<T, false>()
    }

    /// A value as the whole input.
    pub(super) fn whole<T: ArgType + 'static>() -> Self {
        Self::new::<T, true>()
    }

    /// What the action says to an input.
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

    /// An input without the keys that are dropped before decoding.
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
