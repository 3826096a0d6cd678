//! The MCP servers, with the arguments for each of their tools and prompts.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use omni_connector_dev::testing::free_port;
use serde_json::{Value, json};

use crate::Paths;

/// The transport of a server.
pub(crate) enum Reach {
    /// A program and its arguments, over stdio.
    Stdio(Vec<String>),
    /// A program that listens at this URL.
    Http(Vec<String>, String),
}

impl Reach {
    /// Returns the transport's name in the report.
    pub(crate) const fn transport(&self) -> &'static str {
        match self {
            Self::Stdio(_) => "stdio",
            Self::Http(..) => "streamable HTTP",
        }
    }
}

pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) reach: Reach,
    /// The gateway between server and clients.
    pub(crate) gateway: Option<&'static str>,
    pub(crate) env: Vec<(&'static str, String)>,
    /// Tool calls in order, with arguments. A tool that is missing here fails the run.
    pub(crate) calls: Vec<(&'static str, Value)>,
    /// Resources that only a template lists.
    pub(crate) resources: Vec<&'static str>,
    pub(crate) prompts: Vec<(&'static str, Value)>,
    /// Whether the first call takes the server almost no time, so that it measures the connection.
    pub(crate) is_instant: bool,
    /// Keeps the server's files alive.
    _folder: Option<tempfile::TempDir>,
}

/// Returns every server over stdio, then every server over streamable HTTP, each with separate
/// files. Stdio-only servers run behind a gateway.
pub(crate) fn all(paths: &Paths) -> Result<Vec<Server>> {
    let everything = node(paths, "mcp-server-everything")?;
    let gateway = program(&paths.cache.join("gateway/bin/mcp-proxy"))?;
    let mut servers = vec![self::everything(Reach::Stdio(vec![
        everything.clone(),
        "stdio".to_owned(),
    ]))];
    servers.extend(stdio_only(paths)?);
    servers.push(listening_everything(everything)?);
    for server in stdio_only(paths)? {
        servers.push(behind(&gateway, server)?);
    }
    Ok(servers)
}

fn stdio_only(paths: &Paths) -> Result<[Server; 5]> {
    let python = |name: &str| program(&paths.cache.join("py/bin").join(name));
    Ok([
        filesystem(node(paths, "mcp-server-filesystem")?)?,
        memory(node(paths, "mcp-server-memory")?)?,
        time(python("mcp-server-time")?),
        git(python("mcp-server-git")?)?,
        fetch(python("mcp-server-fetch")?)?,
    ])
}

fn node(paths: &Paths, name: &str) -> Result<String> {
    program(&paths.cache.join("node_modules/.bin").join(name))
}

fn listening_everything(program: String) -> Result<Server> {
    let port = free_port()?;
    let url = format!("http://127.0.0.1:{port}/mcp");
    let mut server = everything(Reach::Http(vec![program, "streamableHttp".to_owned()], url));
    server.env.push(("PORT", port.to_string()));
    Ok(server)
}

/// Serves a stdio server over HTTP through a gateway.
fn behind(gateway: &str, mut server: Server) -> Result<Server> {
    let Reach::Stdio(command) = server.reach else {
        bail!("{} listens by itself", server.name);
    };
    let port = free_port()?;
    let mut listening = vec![gateway.to_owned()];
    let options = ["--host", "127.0.0.1", "--port", &port.to_string()].map(str::to_owned);
    listening.extend(options);
    // Passes the server's environment through the gateway.
    listening.extend(["--pass-environment", "--"].map(str::to_owned));
    listening.extend(command);
    server.reach = Reach::Http(listening, format!("http://127.0.0.1:{port}/mcp"));
    server.gateway = Some("mcp-proxy");
    Ok(server)
}

fn program(path: &Path) -> Result<String> {
    if !path.exists() {
        bail!("`{}` was not installed", path.display());
    }
    Ok(path.display().to_string())
}

impl Server {
    /// Returns the server's name in the report.
    pub(crate) fn title(&self) -> String {
        match self.gateway {
            Some(gateway) => format!("{} (by {gateway})", self.name),
            None => self.name.to_owned(),
        }
    }
}

fn server(name: &'static str, reach: Reach, calls: Vec<(&'static str, Value)>) -> Server {
    Server {
        name,
        reach,
        gateway: None,
        env: Vec::new(),
        calls,
        resources: Vec::new(),
        prompts: Vec::new(),
        is_instant: true,
        _folder: None,
    }
}

fn everything(reach: Reach) -> Server {
    let calls = vec![
        ("echo", json!({ "message": "hi" })),
        (
            "get-annotated-message",
            json!({ "messageType": "success", "includeImage": true }),
        ),
        ("get-env", json!({})),
        ("get-resource-links", json!({ "count": 2 })),
        (
            "get-resource-reference",
            json!({ "resourceType": "Blob", "resourceId": 1 }),
        ),
        ("get-structured-content", json!({ "location": "Chicago" })),
        ("get-sum", json!({ "a": 2, "b": 3 })),
        ("get-tiny-image", json!({})),
        (
            "gzip-file-as-resource",
            json!({ "name": "a.gz", "data": "data:text/plain;base64,aGk=", "outputType": "resource" }),
        ),
        ("toggle-simulated-logging", json!({})),
        ("toggle-subscriber-updates", json!({})),
        (
            "trigger-long-running-operation",
            json!({ "duration": 1, "steps": 2 }),
        ),
        ("simulate-research-query", json!({ "topic": "tea" })),
    ];
    Server {
        resources: vec![
            "demo://resource/dynamic/text/1",
            "demo://resource/dynamic/blob/1",
        ],
        prompts: vec![
            ("simple-prompt", json!({})),
            ("args-prompt", json!({ "city": "Bern" })),
            (
                "completable-prompt",
                json!({ "department": "Engineering", "name": "Alice" }),
            ),
            (
                "resource-prompt",
                json!({ "resourceType": "Text", "resourceId": "1" }),
            ),
        ],
        ..server("everything", reach, calls)
    }
}

fn filesystem(program: String) -> Result<Server> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().canonicalize()?;
    fs::write(root.join("a.txt"), "one\ntwo\n")?;
    fs::write(root.join("dot.png"), b"\x89PNG\r\n\x1a\n")?;
    let at = |name: &str| root.join(name).display().to_string();
    let calls = vec![
        ("list_allowed_directories", json!({})),
        ("read_file", json!({ "path": at("a.txt") })),
        ("read_text_file", json!({ "path": at("a.txt"), "head": 1 })),
        ("read_media_file", json!({ "path": at("dot.png") })),
        ("read_multiple_files", json!({ "paths": [at("a.txt")] })),
        (
            "write_file",
            json!({ "path": at("b.txt"), "content": "three" }),
        ),
        (
            "edit_file",
            json!({ "path": at("b.txt"), "edits": [{ "oldText": "three", "newText": "four" }] }),
        ),
        ("create_directory", json!({ "path": at("sub") })),
        ("list_directory", json!({ "path": at("") })),
        ("list_directory_with_sizes", json!({ "path": at("") })),
        ("directory_tree", json!({ "path": at("") })),
        (
            "move_file",
            json!({ "source": at("b.txt"), "destination": at("sub/c.txt") }),
        ),
        (
            "search_files",
            json!({ "path": at(""), "pattern": "*.txt" }),
        ),
        ("get_file_info", json!({ "path": at("a.txt") })),
    ];
    let command = vec![program, root.display().to_string()];
    Ok(Server {
        _folder: Some(folder),
        ..server("filesystem", Reach::Stdio(command), calls)
    })
}

fn memory(program: String) -> Result<Server> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("memory.jsonl").display().to_string();
    let tea = json!([{ "from": "tea", "to": "cup", "relationType": "fills" }]);
    let calls = vec![
        (
            "create_entities",
            json!({ "entities": [
            { "name": "tea", "entityType": "drink", "observations": ["hot"] },
            { "name": "cup", "entityType": "thing", "observations": [] },
        ] }),
        ),
        ("create_relations", json!({ "relations": tea })),
        (
            "add_observations",
            json!({ "observations": [{ "entityName": "tea", "contents": ["green"] }] }),
        ),
        ("read_graph", json!({})),
        ("search_nodes", json!({ "query": "tea" })),
        ("open_nodes", json!({ "names": ["tea"] })),
        (
            "delete_observations",
            json!({ "deletions": [{ "entityName": "tea", "observations": ["hot"] }] }),
        ),
        ("delete_relations", json!({ "relations": tea })),
        ("delete_entities", json!({ "entityNames": ["cup"] })),
    ];
    Ok(Server {
        env: vec![("MEMORY_FILE_PATH", file)],
        _folder: Some(folder),
        ..server("memory", Reach::Stdio(vec![program]), calls)
    })
}

fn time(program: String) -> Server {
    let calls = vec![
        ("get_current_time", json!({ "timezone": "Europe/Zurich" })),
        (
            "convert_time",
            json!({ "source_timezone": "Europe/Zurich", "time": "16:30", "target_timezone": "Asia/Tokyo" }),
        ),
    ];
    let command = vec![program, "--local-timezone".to_owned(), "Etc/UTC".to_owned()];
    server("time", Reach::Stdio(command), calls)
}

fn git(program: String) -> Result<Server> {
    let folder = tempfile::tempdir()?;
    let repo = folder.path().display().to_string();
    run(folder.path(), &["init", "-q", "-b", "main"])?;
    run(folder.path(), &["config", "user.email", "ann@example.com"])?;
    run(folder.path(), &["config", "user.name", "Ann"])?;
    fs::write(folder.path().join("a.txt"), "one\n")?;
    run(folder.path(), &["add", "a.txt"])?;
    run(folder.path(), &["commit", "-qm", "First"])?;
    fs::write(folder.path().join("a.txt"), "two\n")?;
    let with = |more: Value| {
        let mut arguments = json!({ "repo_path": repo });
        for (key, value) in more.as_object().into_iter().flatten() {
            arguments[key] = value.clone();
        }
        arguments
    };
    let calls = vec![
        ("git_status", with(json!({}))),
        ("git_diff_unstaged", with(json!({}))),
        ("git_add", with(json!({ "files": ["a.txt"] }))),
        ("git_diff_staged", with(json!({}))),
        ("git_reset", with(json!({}))),
        ("git_add", with(json!({ "files": ["a.txt"] }))),
        ("git_commit", with(json!({ "message": "Second" }))),
        ("git_log", with(json!({ "max_count": 2 }))),
        ("git_create_branch", with(json!({ "branch_name": "side" }))),
        ("git_checkout", with(json!({ "branch_name": "side" }))),
        ("git_diff", with(json!({ "target": "main" }))),
        ("git_show", with(json!({ "revision": "HEAD" }))),
        ("git_branch", with(json!({ "branch_type": "local" }))),
    ];
    let command = vec![program, "--repository".to_owned(), repo.clone()];
    Ok(Server {
        _folder: Some(folder),
        ..server("git", Reach::Stdio(command), calls)
    })
}

fn run(folder: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .context("git is needed")?;
    if !status.success() {
        bail!("git {arguments:?} failed");
    }
    Ok(())
}

/// Fetches pages of this machine only.
fn fetch(program: String) -> Result<Server> {
    let url = page("<html><body><h1>Tea</h1><p>Hot.</p></body></html>")?;
    let calls = vec![("fetch", json!({ "url": url }))];
    let command = vec![
        program,
        "--ignore-robots-txt".to_owned(),
        // The page is served by this process.
        "--allow-private-ips".to_owned(),
    ];
    Ok(Server {
        prompts: vec![("fetch", json!({ "url": url }))],
        // Each call loads the page and starts a program to read it.
        is_instant: false,
        ..server("fetch", Reach::Stdio(command), calls)
    })
}

/// Serves a page on loopback until the process ends.
fn page(html: &'static str) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/page.html", listener.local_addr()?);
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            // The request fits into one read; its content does not matter.
            let _ = connection.read(&mut [0; 4096]);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                html.len()
            );
            let _ = connection.write_all((head + html).as_bytes());
        }
    });
    Ok(url)
}
