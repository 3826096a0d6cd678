//! The connector's declaration by hand, until the annotations are there.

use std::any::{Any, TypeId};

use omni_connector::{
    BoxFuture, Operator, ServiceCredential, async_trait,
    contract::{AttributeValue, ValueType},
    declare::{self, CallOf, FromCall as _, OfSync, Sync},
    prelude::*,
};

use crate::{Filesystem, file::FileItem, known::Known, settings::Settings};

const SYNCS: &[Sync<Filesystem>] = &[
    Sync {
        modes: &[],
        source_types: &[],
        needs_credentials: false,
        run: sync,
    },
    Sync {
        modes: &[SyncType::Realtime],
        source_types: &[],
        needs_credentials: false,
        run: watch,
    },
];

fn sync(connector: &Filesystem, mut call: CallOf<Filesystem, OfSync>) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let config = declare::Config::from_call(&mut call)?;
        let known = declare::Checkpoint::from_call(&mut call)?;
        connector
            .sync(config, known, SyncContext::from_call(&mut call)?)
            .await
    })
}

fn watch(
    connector: &Filesystem,
    mut call: CallOf<Filesystem, OfSync>,
) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let config = declare::Config::from_call(&mut call)?;
        let known = declare::Checkpoint::from_call(&mut call)?;
        connector
            .watch(config, known, SyncContext::from_call(&mut call)?)
            .await
    })
}

fn item() -> TypeId {
    TypeId::of::<FileItem>()
}

fn ext(item: &dyn Any) -> Option<Value> {
    declare::read(item, Filesystem::ext)
}

fn folder(item: &dyn Any) -> Option<Value> {
    declare::read(item, Filesystem::folder)
}

#[async_trait]
impl Connector for Filesystem {
    type Config = Settings;
    type Credentials = Value;
    type State = Known;

    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::LocalFiles, SourceType::FileSystem]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full, SyncType::Incremental, SyncType::Realtime]
    }

    async fn sync(
        &self,
        _: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        declare::run_sync(self, SYNCS, credentials, checkpoint, ctx).await
    }

    fn operators(&self) -> Vec<Operator> {
        vec![
            Operator {
                name: "ext",
                attribute: "ext",
                value_type: ValueType::Text,
                schema: <&str>::schema,
                item,
                read: ext,
            },
            Operator {
                name: "folder",
                attribute: "folder",
                value_type: ValueType::Text,
                schema: <Vec<&str>>::schema,
                item,
                read: folder,
            },
        ]
    }
}
