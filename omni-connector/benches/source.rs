//! Compares the cost of the HTTP client for sources with bare reqwest: `cargo bench -p omni-connector --bench source`.
//!
//! Both candidates call the same server in turns, and each ratio is the median of the rounds' ratios. So other load on
//! the machine affects both alike. The server is a separate process: this program, started again.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::Query, routing::get};
use futures_util::{StreamExt, stream};
use omni_connector::{
    HttpClient,
    http::{Api, Paging, Quota},
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

const PAGES: u64 = 20;
const ITEMS: u64 = 20;
const ANSWER: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    cursor: u64,
}

#[derive(Serialize, Deserialize)]
struct Page {
    items: Vec<u64>,
    next: Option<u64>,
}

async fn page(Query(asked): Query<Asked>) -> Json<Page> {
    tokio::time::sleep(ANSWER).await;
    let start = asked.cursor * ITEMS;
    Json(Page {
        items: (start..start + ITEMS).collect(),
        next: (asked.cursor + 1 < PAGES).then_some(asked.cursor + 1),
    })
}

async fn item() -> Json<u64> {
    tokio::time::sleep(ANSWER).await;
    Json(7)
}

/// Serves until the process is killed. The port is the first line of its output.
async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback can be listened on");
    println!(
        "{}",
        listener.local_addr().expect("it has an address").port()
    );
    let router = Router::new()
        .route("/fast", get(async || Json(7_u64)))
        .route("/page", get(page))
        .route("/item", get(item));
    axum::serve(listener, router)
        .await
        .expect("the server goes on");
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start() -> (Server, String) {
    let program = env::current_exe().expect("this program has a path");
    let mut child = Command::new(program)
        .env("OMNI_BENCH_SERVE", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts again");
    let output = child.stdout.take().expect("its output is piped");
    let mut port = String::new();
    BufReader::new(output)
        .read_line(&mut port)
        .expect("it says its port");
    (Server(child), format!("http://127.0.0.1:{}", port.trim()))
}

/// Measures the duration of some work.
async fn timed(work: impl Future<Output = ()>) -> f64 {
    let began = Instant::now();
    work.await;
    began.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn cost_of_a_call(api: &Api, bare: &reqwest::Client, url: &str) {
    const CALLS: u32 = 2_000;
    let fast = format!("{url}/fast");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        theirs.push(
            timed(async {
                for _ in 0..CALLS {
                    let answer = bare.get(&fast).send().await.expect("the server answers");
                    let _: u64 = answer.json().await.expect("it answers a number");
                }
            })
            .await,
        );
        ours.push(
            timed(async {
                for _ in 0..CALLS {
                    let _: u64 = api.get("fast").read().await.expect("the server answers");
                }
            })
            .await,
        );
    }
    let micros = |seconds: f64| seconds * 1e6 / f64::from(CALLS);
    let differences = ours
        .iter()
        .zip(&theirs)
        .map(|(ours, theirs)| micros(ours - theirs));
    let more = median(differences.collect());
    println!(
        "| a call, beyond bare reqwest | {more:.1} µs of {:.0} µs | ≤ 3 µs |",
        micros(median(theirs))
    );
}

async fn bare_page(bare: &reqwest::Client, url: &str, cursor: u64) -> Page {
    let request = bare.get(format!("{url}/page")).query(&[("cursor", cursor)]);
    let answer = request.send().await.expect("the server answers");
    answer.json().await.expect("it answers a page")
}

/// Walks all pages with a bare client that reads one page ahead, and processes each page.
async fn bare_walk(bare: &reqwest::Client, url: &str, mut work: impl AsyncFnMut(Vec<u64>)) {
    let read = |cursor| {
        let (bare, url) = (bare.clone(), url.to_owned());
        tokio::spawn(async move { bare_page(&bare, &url, cursor).await })
    };
    let mut ahead = read(0);
    loop {
        let page = ahead.await.expect("the page is read");
        let Some(next) = page.next else {
            return work(page.items).await;
        };
        ahead = read(next);
        work(page.items).await;
    }
}

async fn walk(api: &Api, mut work: impl AsyncFnMut(Vec<u64>)) {
    let paging = Paging::cursor("/next");
    let mut pages = api.get("page").pages(paging).items::<u64>("/items");
    while let Some(page) = pages.next().await.expect("the server answers") {
        work(page.into_items()).await;
    }
    let _proof = pages.finish().expect("the walk reaches its end");
}

async fn walks(api: &Api, bare: &reqwest::Client, url: &str) {
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let theirs = timed(bare_walk(bare, url, async |_| ())).await;
        ratios.push(timed(walk(api, async |_| ())).await / theirs);
    }
    println!(
        "| a walk of {PAGES} pages, 50 ms an answer | {:.3} × bare | ≤ 1.05 |",
        median(ratios)
    );

    let mut ratios = Vec::new();
    for _ in 0..3 {
        let theirs = timed(bare_walk(bare, url, async |items| {
            let asked = stream::iter(items).map(|_| async {
                let answer = bare
                    .get(format!("{url}/item"))
                    .send()
                    .await
                    .expect("the server answers");
                answer.json::<u64>().await.expect("it answers a number")
            });
            asked.buffered(8).for_each(async |_| ()).await;
        }))
        .await;
        let ours = timed(walk(api, async |items| {
            let mut asked = api.in_order(items, async |_| api.get("item").read::<u64>().await);
            while let Some(answer) = asked.next().await {
                answer.expect("the server answers");
            }
        }))
        .await;
        ratios.push(ours / theirs);
    }
    println!(
        "| the same, with a request an item, eight at once | {:.3} × bare | ≤ 1.1 |",
        median(ratios)
    );
}

/// Uses a quota of 300 a minute, scaled to 300 in six seconds, with 64 tasks for five periods.
async fn share_of_a_quota(url: &str) {
    const PER: Duration = Duration::from_secs(6);
    let api = Api::at(url)
        .at_once(64)
        .quota(Quota::new(300, PER))
        .patience(Duration::from_mins(5));
    let sent = Arc::new(Mutex::new(Vec::new()));
    let end = Instant::now() + PER * 5;
    let tasks = (0..64).map(|_| {
        let (api, sent) = (api.clone(), Arc::clone(&sent));
        tokio::spawn(async move {
            while Instant::now() < end {
                let began = Instant::now();
                api.get("fast")
                    .read::<u64>()
                    .await
                    .expect("the server answers");
                sent.lock()
                    .expect("nobody panics")
                    .push((began, Instant::now()));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("nobody panics");
    }
    let mut answered: Vec<Instant> = sent
        .lock()
        .expect("nobody panics")
        .iter()
        .map(|(_, end)| *end)
        .collect();
    answered.sort();
    let in_time = answered.iter().filter(|at| **at < end).count();
    let windows = answered.iter().enumerate().map(|(index, at)| {
        // Calls answered within a little less than the period were certainly made within it.
        answered[index..]
            .iter()
            .take_while(|later| **later - *at < PER.mul_f64(0.98))
            .count()
    });
    let most = windows.max().unwrap_or_default();
    let share = f64::from(u32::try_from(in_time).unwrap_or(u32::MAX)) / 1_500.0;
    println!(
        "| a quota of 300, 64 tasks, five times over | {share:.3} used, at most {most} at a time | ≥ 0.95, never more |"
    );
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("the runtime starts");
    if env::var_os("OMNI_BENCH_SERVE").is_some() {
        return runtime.block_on(serve());
    }
    let (_server, url) = start();
    runtime.block_on(async {
        let api = Api::at(&url).at_once(16);
        let bare = HttpClient::builder().build().expect("the client is built");
        println!("| row | found | aim |\n|---|---|---|");
        let measured = tokio::spawn({
            let (api, bare, url) = (api.clone(), bare.clone(), url.clone());
            async move { cost_of_a_call(&api, &bare, &url).await }
        });
        measured.await.expect("nobody panics");
        walks(&api.clone().at_once(8), &bare, &url).await;
        share_of_a_quota(&url).await;
    });
}
