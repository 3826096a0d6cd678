//! The loop of `cargo omni dev`: builds, starts the process, and waits for a save, an order of the page, or the end of the process.

use std::time::{Duration, Instant, SystemTime};

use omni_connector::Manifest;
use tokio::{sync::mpsc::UnboundedReceiver, task::JoinSet, time::timeout};

use super::{Arguments, build, checks, inputs::Inputs, news};
use crate::{
    cli::{
        Code, Failure, Interrupts,
        client::Client,
        connector_process::ConnectorProcess,
        output::note,
        package, session,
        taping::Taping,
        target::{Named, Program},
    },
    manager::Manager,
    rules::Description,
    workbench::{Bench, Order, Phase, Workbench},
};

/// How long a connector may take to print its schemas.
const SCHEMAS: Duration = Duration::from_secs(5);

pub(super) async fn work(
    arguments: &Arguments,
    named: &Named,
    manager: &Manager,
    taping: Taping,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let workbench = manager.workbench().clone();
    let client = Client::new(manager.url())?;
    let Some(orders) = workbench.take_orders() else {
        return Err(Failure::failed(
            "another command starts the connector of this manager",
        ));
    };
    let mut work = Work {
        arguments,
        package: match named {
            Named::Package(name) => Some(package::find(name).await?),
            _ => None,
        },
        program: arguments.connector.program(),
        taping,
        workbench,
        client,
        orders,
        process: None,
        manifest: None,
        is_described: false,
        checks: JoinSet::new(),
        interrupts,
    };
    work.workbench.change(|bench| {
        *bench = Bench {
            name: named.to_string().replace('`', ""),
            phase: Phase::Starting,
            is_watching: work.package.is_some(),
            is_package: work.package.is_some(),
            replays: work.taping.replays(),
            records: work.taping.records(),
            ..Bench::default()
        };
    });
    let done = work.go_on().await;
    let taped = work.finish_tape().await;
    if let Some(process) = &mut work.process {
        note("stopping; Ctrl-C once more stops at once");
        process.stop(interrupts).await;
    }
    done.and(taped).map(|()| Code::Done)
}

/// The next step of the work.
enum Step {
    Build,
    Start,
    Wait,
    End,
}

struct Work<'a> {
    arguments: &'a Arguments,
    package: Option<package::Package>,
    program: Option<Program>,
    taping: Taping,
    workbench: Workbench,
    client: Client,
    orders: UnboundedReceiver<Order>,
    process: Option<ConnectorProcess>,
    /// The manifest of the last process that registered.
    manifest: Option<Manifest>,
    /// Whether the source of the command line is in the store.
    is_described: bool,
    /// The checks that a person asked for. They end with this.
    checks: JoinSet<()>,
    interrupts: &'a Interrupts,
}

impl Work<'_> {
    async fn go_on(&mut self) -> Result<(), Failure> {
        let mut inputs = Inputs::of(self.package.as_ref());
        let first = if self.package.is_some() {
            Step::Build
        } else {
            Step::Start
        };
        let mut step = first;
        loop {
            step = match step {
                Step::Build => {
                    inputs.look();
                    self.build(&mut inputs).await?
                }
                Step::Start => self.start(&inputs).await?,
                Step::Wait => self.wait(&mut inputs).await,
                Step::End => return Ok(()),
            };
        }
    }

    async fn build(&mut self, inputs: &mut Inputs) -> Result<Step, Failure> {
        let Some(package) = &self.package else {
            return Ok(Step::Start);
        };
        self.workbench.change(|bench| bench.phase = Phase::Building);
        let (started, began) = (Instant::now(), SystemTime::now());
        let is_release = self.arguments.connector.is_release();
        let built = tokio::select! {
            built = build::build(package, is_release, &self.workbench) => built?,
            () = self.interrupts.first() => return Ok(Step::End),
        };
        match built {
            Ok(program) => {
                let took = started.elapsed();
                inputs.found(&program.path, began);
                note(format!(
                    "built {} in {:.1} s",
                    program.name,
                    took.as_secs_f64()
                ));
                self.workbench.change(|bench| bench.built_in = Some(took));
                checks::built_again(&self.workbench);
                self.workbench
                    .keep_schemas(build::schemas(&program, SCHEMAS).await);
                self.program = Some(program);
                Ok(Step::Start)
            }
            Err(text) => {
                self.workbench
                    .change(|bench| bench.phase = Phase::BuildFailed(text));
                note("it does not build; save a change to try again");
                Ok(Step::Wait)
            }
        }
    }

    /// Ends the process that runs, starts the program, and waits until it has registered. A save is built at once, however
    /// long a registration takes.
    async fn start(&mut self, inputs: &Inputs) -> Result<Step, Failure> {
        let Some(mut program) = self.program.clone() else {
            return Ok(Step::Wait);
        };
        program.environment.extend(self.taping.variable());
        // A tape that cannot be written does not end the work.
        if let Err(failure) = self.finish_tape().await {
            note(&failure.message);
        }
        if let Some(mut before) = self.process.take() {
            before.stop(self.interrupts).await;
        }
        self.workbench.change(|bench| {
            bench.phase = Phase::Starting;
            bench.is_running = true;
        });
        let log = self.arguments.store.folder.join("connector.log");
        let verbose = self.arguments.connector.is_verbose();
        let started = ConnectorProcess::start(
            &program,
            self.client.url(),
            &log,
            verbose,
            Some(self.workbench.clone()),
        );
        let mut process = match started {
            Ok(process) => process,
            Err(failure) => return Ok(self.not_running(failure)),
        };
        let patience = self.arguments.connector.patience();
        let registered = self.client.registration_at(process.port());
        let what = tokio::select! {
            manifest = timeout(patience, registered) => match manifest {
                Ok(manifest) => {
                    let manifest = manifest?;
                    self.process = Some(process);
                    self.registered(manifest).await?;
                    return Ok(Step::Wait);
                }
                Err(_) => format!("did not register within {} s", patience.as_secs()),
            },
            status = process.exited() => format!("ended with {status} before it registered"),
            () = inputs.changed(), if self.workbench.bench().is_watching => {
                self.process = Some(process);
                return Ok(Step::Build);
            }
            () = self.interrupts.first() => {
                self.process = Some(process);
                return Ok(Step::End);
            }
        };
        process.stop(self.interrupts).await;
        let failure = process.failure(&what).await;
        Ok(self.not_running(failure))
    }

    /// Writes the tape of the process that runs, or names the requests that were not on it.
    async fn finish_tape(&self) -> Result<(), Failure> {
        let runs = self
            .process
            .as_ref()
            .is_some_and(ConnectorProcess::is_running);
        match &self.manifest {
            Some(manifest) if runs => {
                let http = session::http()?;
                self.taping.finish(&http, &manifest.connector_url).await
            }
            _ => Ok(()),
        }
    }

    fn not_running(&mut self, failure: Failure) -> Step {
        note(&failure.message);
        self.workbench.change(|bench| {
            bench.is_running = false;
            bench.phase = Phase::NotRunning(failure.message);
        });
        Step::Wait
    }

    /// Resumes interrupted runs and reports changes of the manifest.
    async fn registered(&mut self, manifest: Manifest) -> Result<(), Failure> {
        let mut news = match &self.manifest {
            Some(before) => news::between(before, &manifest),
            None => Vec::new(),
        };
        if !self.is_described {
            self.describe(&manifest).await?;
            self.is_described = true;
        }
        let resumed = self.client.resume().await?;
        news.extend(
            resumed
                .iter()
                .map(|run| format!("the {} run goes on from its checkpoint", run.sync_type)),
        );
        note(format!(
            "{} {} is registered",
            manifest.display_name, manifest.version
        ));
        for line in &news {
            note(format!("  {line}"));
        }
        self.manifest = Some(manifest);
        self.workbench.change(|bench| {
            bench.phase = Phase::Serving;
            bench.is_running = true;
            bench.news = news;
        });
        Ok(())
    }

    /// Stores the source that the command line describes, if it describes one.
    async fn describe(&self, manifest: &Manifest) -> Result<(), Failure> {
        let source = &self.arguments.source;
        let secret = source.secret()?;
        if !source.has_settings() && secret.is_none() && source.name.is_none() {
            return Ok(());
        }
        let description = Description {
            name: source
                .name
                .clone()
                .unwrap_or_else(|| manifest.display_name.clone()),
            source_type: session::source_type(manifest, source.source_type.as_deref())?.to_owned(),
            config: source.config()?,
            secret,
            needs_credential: true,
        };
        self.client.describe(&description).await.map(drop)
    }

    async fn wait(&mut self, inputs: &mut Inputs) -> Step {
        let is_package = self.package.is_some();
        let again = if is_package { Step::Build } else { Step::Start };
        let is_watching = self.workbench.bench().is_watching;
        let process = &mut self.process;
        let died = async {
            match process {
                Some(process) => process.exited().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = inputs.changed(), if is_watching => Step::Build,
            order = self.orders.recv() => match order {
                Some(Order::Restart) => again,
                Some(Order::Kill) => {
                    if let Some(mut process) = self.process.take() {
                        process.kill_now().await;
                        note("killed");
                    }
                    Step::Start
                }
                Some(Order::Watch(watch)) => {
                    self.workbench.change(|bench| bench.is_watching = watch);
                    Step::Wait
                }
                Some(Order::Check) => {
                    if let Some(package) = &self.package {
                        let folder = package.folder().to_owned();
                        self.checks.abort_all();
                        self.checks.spawn(checks::run(folder, self.workbench.clone()));
                    }
                    Step::Wait
                }
                None => Step::End,
            },
            status = died => self.died(&status).await,
            () = self.interrupts.first() => Step::End,
        }
    }

    async fn died(&mut self, status: &str) -> Step {
        let Some(mut process) = self.process.take() else {
            return Step::Wait;
        };
        // The processes that it started end with it.
        process.stop(self.interrupts).await;
        let failure = process.failure(&format!("ended with {status}")).await;
        note(&failure.message);
        self.workbench.change(|bench| {
            bench.is_running = false;
            // The compiler's messages are more important.
            if !matches!(bench.phase, Phase::BuildFailed(_)) {
                bench.phase = Phase::NotRunning(failure.message);
            }
        });
        Step::Wait
    }
}
