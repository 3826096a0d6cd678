//! A misbehaving MCP server: odd lists, odd results, refusals, silence. Written without a library,
//! since none allows it. The first argument selects its lists; over HTTP, at `--http ADDRESS`, the
//! second selects its transport.

use std::{
    collections::HashMap,
    convert::Infallible,
    env,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// The tools offered in addition to the odd one.
const RESULTS: &[(&str, &str)] = &[
    ("good", r#"{"content":[{"type":"text","text":"good"}]}"#),
    (
        "surrogate",
        r#"{"content":[{"type":"text","text":"a\ud83d"}]}"#,
    ),
    ("nan", r#"{"content":[],"structuredContent":{"ratio":NaN}}"#),
    (
        "linknoname",
        r#"{"content":[{"type":"resource_link","uri":"a:b"},{"type":"text","text":"kept"}]}"#,
    ),
    (
        "badblock",
        r#"{"content":[{"type":"hologram","data":""},{"type":"text","text":"kept"}]}"#,
    ),
    (
        "annot",
        r#"{"content":[{"type":"text","text":"x","annotations":{"audience":["tool"]}},{"type":"text","text":"kept"}]}"#,
    ),
    (
        "textnull",
        r#"{"content":[{"type":"text","text":null},{"type":"text","text":"kept"}]}"#,
    ),
    (
        "errstruct",
        r#"{"isError":true,"content":[],"structuredContent":{"code":"E42","message":"no such page"}}"#,
    ),
    (
        "errodd",
        r#"{"isError":true,"content":[],"structuredContent":{"why":[1]}}"#,
    ),
    (
        "structfile",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"iVBORw0KGgo="}],"structuredContent":{"count":3}}"#,
    ),
    (
        "structlinks",
        r#"{"content":[{"type":"text","text":"kept"},{"type":"resource_link","uri":"a:b","name":"b"}],"structuredContent":{"count":3}}"#,
    ),
    (
        "structlist",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"iVBORw0KGgo="}],"structuredContent":[1]}"#,
    ),
    (
        "b64wrap",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"iVBO\nRw0K\r\nGgo="}]}"#,
    ),
    (
        "b64url",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"-_-_"}]}"#,
    ),
    (
        "b64nopad",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"iVBORw0KGgo"}]}"#,
    ),
    (
        "datauri",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"data:image/png;base64,iVBORw0KGgo="}]}"#,
    ),
    (
        "nobase64",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"!!"}]}"#,
    ),
    ("notjson", r#"{"content":[}"#),
    ("number", "7"),
    ("huge", r#"{"content":[],"structuredContent":{"n":1e999}}"#),
    (
        "contentone",
        r#"{"content":{"type":"text","text":"alone"}}"#,
    ),
    ("contentstring", r#"{"content":"plain"}"#),
    (
        "contentmixed",
        r#"{"content":["plain",7,{"type":"text","text":"kept"}]}"#,
    ),
    ("nocontent", r#"{"structuredContent":{"count":3}}"#),
    (
        "nulls",
        r#"{"content":null,"structuredContent":null,"isError":null}"#,
    ),
    (
        "errstring",
        r#"{"isError":"True","content":[{"type":"text","text":"it is locked"}]}"#,
    ),
    (
        "nouri",
        r#"{"content":[{"type":"resource","resource":{"text":"x"}},{"type":"text","text":"kept"}]}"#,
    ),
    (
        "metanull",
        r#"{"_meta":null,"content":[{"type":"text","text":"kept","_meta":7}]}"#,
    ),
    (
        "errblank",
        r#"{"isError":true,"content":[{"type":"text","text":" \n"}],"structuredContent":{"errors":[{"message":"no such page"}]}}"#,
    ),
    (
        "errboth",
        r#"{"isError":true,"content":[{"type":"text","text":"the call failed"}],"structuredContent":{"error":{"message":"no such page"}}}"#,
    ),
    (
        "errsaid",
        r#"{"isError":true,"content":[{"type":"text","text":"E42: no such page"}],"structuredContent":{"code":"E42","message":"no such page"}}"#,
    ),
    (
        "errresource",
        r#"{"isError":true,"content":[{"type":"resource","resource":{"uri":"a:b","text":"no such page"}}]}"#,
    ),
    (
        "errlink",
        r#"{"isError":true,"content":[{"type":"resource_link","uri":"https://a.b/why","name":"why"}]}"#,
    ),
    (
        "errnumber",
        r#"{"isError":1,"content":[{"type":"text","text":"no such page"}]}"#,
    ),
    ("erryes", r#"{"isError":" yes","content":"no such page"}"#),
    (
        "structown",
        r#"{"content":[{"type":"text","text":"caption"},{"type":"image","mimeType":"image/png","data":"iVBORw0KGgo="}],"structuredContent":{"content":3}}"#,
    ),
    (
        "structscalar",
        r#"{"content":[{"type":"resource_link","uri":"a:b","name":"b"}],"structuredContent":7}"#,
    ),
    (
        "halfkey",
        r#"{"content":[],"structuredContent":{"a\ude00":1}}"#,
    ),
    (
        "halftwice",
        r#"{"content":[{"type":"text","text":"\ud83d\ud83d\ude00\ud83d"}]}"#,
    ),
    (
        "badescape",
        r#"{"content":[{"type":"text","text":"it\'s C:\dir"}]}"#,
    ),
    (
        "cnan",
        r#"{"content":[],"structuredContent":{"ratio":-nan,"rate":inf}}"#,
    ),
    (
        "blocks",
        r#"{"content":[null,[],{"text":"untyped"},{"type":"image","data":7},{"type":"audio","data":"AAAA"},{"type":7},{"type":"text","text":"kept"}]}"#,
    ),
    (
        "b64upper",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"DATA:image/png;charset=x;BASE64,iVBORw0KGgo%3D"}]}"#,
    ),
    (
        "b64blanks",
        r#"{"content":[{"type":"image","mimeType":"image/png","data":"\ufeff iVBO\tRw0K\u00a0Ggo=\n"}]}"#,
    ),
    (
        "b64blob",
        r#"{"content":[{"type":"resource","resource":{"uri":"a:b.png","mimeType":"image/png","blob":"iVBORw0KGgo"}}]}"#,
    ),
    (
        "snake",
        r#"{"is_error":true,"content":[{"type":"text","text":"it is locked"}]}"#,
    ),
    (
        "snakestruct",
        r#"{"content":[],"structured_content":{"count":3}}"#,
    ),
    (
        "snakemime",
        r#"{"content":[{"type":"image","mime_type":"image/png","data":"iVBORw0KGgo="},{"type":"text","text":"kept"}]}"#,
    ),
    ("bareblocks", r#"[{"type":"text","text":"kept"}]"#),
    ("baretext", r#""kept""#),
    ("toolresult", r#"{"toolResult":"kept"}"#),
    ("unwrapped", r#"{"count":3}"#),
    (
        "upperkind",
        r#"{"content":[{"type":"TEXT","text":"kept"}]}"#,
    ),
    (
        "textnumber",
        r#"{"content":[{"type":"text","text":7},{"type":"text","text":{"a":[1]}}]}"#,
    ),
    (
        "contentmap",
        r#"{"content":{"0":{"type":"text","text":"a"},"1":{"type":"text","text":"kept"}}}"#,
    ),
    (
        "contentnested",
        r#"{"content":[[{"type":"text","text":"kept"}]]}"#,
    ),
    (
        "errobject",
        r#"{"isError":{"message":"it is locked"},"content":[]}"#,
    ),
    (
        "errdescribed",
        r#"{"isError":true,"content":[],"structuredContent":{"error":"E1","error_description":"it is locked"}}"#,
    ),
    ("deep", ""),
    ("session", ""),
    ("mutestream", ""),
    // Answers whose envelope is odd.
    ("idstring", ""),
    ("idfloat", ""),
    ("batch", ""),
    ("spread", ""),
    ("nojsonrpc", ""),
    ("barerror", ""),
    ("errorcode", ""),
    ("errordata", ""),
    ("errormessage", ""),
    ("errorbare", ""),
    ("idblanks", ""),
    ("nullerror", ""),
    ("silent", ""),
    ("hang", ""),
    ("mute", ""),
];

/// Returns the raw page of tools that a request asks for.
fn tools(mode: &str, cursor: Option<&str>) -> String {
    let tool = |name: &str| format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#);
    let mut all: Vec<_> = RESULTS.iter().map(|(name, _)| tool(name)).collect();
    let odd = match mode {
        "badtool" => r#"{"name":"bad"}"#.to_owned(),
        "nullschema" => r#"{"name":"bad","inputSchema":null}"#.to_owned(),
        "boolschema" => r#"{"name":"bad","inputSchema":true}"#.to_owned(),
        "badoutput" => r#"{"name":"bad","inputSchema":{"type":"object"},"outputSchema":true}"#.to_owned(),
        "badannotation" => {
            r#"{"name":"bad","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":"true"}}"#.to_owned()
        }
        "badicons" => r#"{"name":"bad","inputSchema":{"type":"object"},"icons":"x"}"#.to_owned(),
        "numdesc" => r#"{"name":"bad","inputSchema":{"type":"object"},"description":7}"#.to_owned(),
        "noname" => r#"{"description":"bad","inputSchema":{"type":"object"}}"#.to_owned(),
        "phparray" => r#"{"name":"bad","inputSchema":{"type":"object","properties":[],"required":[]}}"#.to_owned(),
        "nullparts" => r#"{"name":"bad","title":null,"inputSchema":{"type":"object","properties":null,"required":null}}"#.to_owned(),
        "typelist" => r#"{"name":"bad","inputSchema":{"type":["object","null"],"properties":{"a":{"type":"string"}}}}"#.to_owned(),
        "notype" => r#"{"name":"bad","inputSchema":{}}"#.to_owned(),
        "listannotation" => r#"{"name":"bad","inputSchema":{"type":"object"},"annotations":[]}"#.to_owned(),
        "oddproperty" => r#"{"name":"bad","inputSchema":{"type":"object","properties":{"a":7,"b":true,"c":"string"}}}"#.to_owned(),
        "farref" => r#"{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"$ref":"https://example.com/s.json"},"b":{"$ref":"\u0023/$defs/gone"}}}}"#.to_owned(),
        "oddkeywords" => r#"{"name":"bad","inputSchema":{"type":"OBJECT","required":"a","properties":{"a":{"type":"STRING","required":true,"enum":[]}}}}"#.to_owned(),
        "twice" => format!("{},{}", tool("bad"), tool("bad")),
        "nullname" => r#"{"name":null,"inputSchema":{"type":"object"}}"#.to_owned(),
        "numname" => r#"{"name":7,"inputSchema":{"type":"object"}}"#.to_owned(),
        "textschema" => r#"{"name":"bad","inputSchema":"{}"}"#.to_owned(),
        "listschema" => r#"{"name":"bad","inputSchema":[]}"#.to_owned(),
        "notool" => r#"null,7,"bad",[],{"name":"bad","inputSchema":{"type":"object"}}"#.to_owned(),
        "snaketool" => r#"{"name":"bad","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}"#.to_owned(),
        "numtitle" => r#"{"name":"bad","inputSchema":{"type":"object"},"title":7}"#.to_owned(),
        "badmeta" => r#"{"name":"bad","inputSchema":{"type":"object"},"_meta":"x"}"#.to_owned(),
        "badhint" => r#"{"name":"bad","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":"yes","title":7}}"#.to_owned(),
        "badexec" => r#"{"name":"bad","inputSchema":{"type":"object"},"execution":{"taskSupport":"perhaps"}}"#.to_owned(),
        "emptyname" => tool(""),
        "blankname" => tool(" "),
        "longname" => tool(&"n".repeat(90)),
        "longwithtype" => tool(&"n".repeat(60)),
        "nameofproperty" => r#"{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"$filter":{"type":"string"}}}}}}}"#.to_owned(),
        _ => String::new(),
    };
    if !odd.is_empty() {
        all.insert(0, odd);
    }
    if mode == "toomany" {
        all.extend((0..6000).map(|n| tool(&format!("t{n}"))));
    }
    if mode == "barelist" {
        return format!("[{}]", all.join(","));
    }
    if mode == "byname" {
        let named = all.iter().map(|tool| {
            let tool: Value = serde_json::from_str(tool).unwrap_or_default();
            format!(
                r#"{}:{{"inputSchema":{}}}"#,
                tool["name"], tool["inputSchema"]
            )
        });
        let named: Vec<_> = named.collect();
        return format!(r#"{{"tools":{{{}}}}}"#, named.join(","));
    }
    let next = match (mode, cursor) {
        // The second page cannot be had.
        ("badpage" | "mutepage", None) => r#","nextCursor":"2""#.to_owned(),
        // Two cursors in turn.
        ("turncursor", cursor) => {
            let turned = cursor == Some("a");
            format!(r#","nextCursor":"{}""#, if turned { "b" } else { "a" })
        }
        // Pages without tools.
        ("emptypages", cursor) => {
            let page: usize = cursor.and_then(|page| page.parse().ok()).unwrap_or(0);
            if page > 0 {
                all.clear();
            }
            format!(r#","nextCursor":"{}""#, page + 1)
        }
        ("nullcursor", _) => r#","nextCursor":null"#.to_owned(),
        ("numcursor", _) => r#","nextCursor":7"#.to_owned(),
        ("emptycursor", _) => r#","nextCursor":"""#.to_owned(),
        ("samecursor", _) => r#","nextCursor":"again""#.to_owned(),
        ("endless", cursor) => {
            let page: usize = cursor.and_then(|page| page.parse().ok()).unwrap_or(0);
            all = vec![if page == 0 {
                tool("good")
            } else {
                tool(&format!("p{page}"))
            }];
            format!(r#","nextCursor":"{}""#, page + 1)
        }
        _ => String::new(),
    };
    format!(r#"{{"tools":[{}]{next}}}"#, all.join(","))
}

/// Returns the raw answer, or `None` when there is none.
fn answer(mode: &str, request: &Value) -> Option<String> {
    let id = request.get("id")?;
    let result = match request["method"].as_str()? {
        "initialize" if mode == "oddserver" => json!({
            "protocolVersion": 7, "capabilities": { "tools": [], "logging": "yes", "prompts": false, "resources": null },
            "serverInfo": ["odd"], "instructions": 7,
        })
        .to_string(),
        "initialize" if mode == "listserver" => {
            let version = &request["params"]["protocolVersion"];
            json!({ "protocolVersion": version, "capabilities": ["tools"], "serverInfo": null }).to_string()
        }
        "initialize" if mode == "refused" => {
            return Some(format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32602,"message":"the license has expired"}}}}"#
            ));
        }
        "initialize" if matches!(mode, "nocapabilities" | "nothing") => json!({
            "protocolVersion": request["params"]["protocolVersion"], "capabilities": {},
            "serverInfo": { "name": "odd", "version": "1" },
        })
        .to_string(),
        "initialize" if matches!(mode, "muteresources" | "nameless") => json!({
            "protocolVersion": request["params"]["protocolVersion"],
            "capabilities": { "tools": {}, "resources": {}, "prompts": {} },
            "serverInfo": { "name": "odd", "version": "1" },
        })
        .to_string(),
        "resources/list" | "resources/templates/list" if mode == "muteresources" => return None,
        "prompts/list" if mode == "muteresources" => r#"{"prompts":"none"}"#.to_owned(),
        "resources/list" if mode == "nameless" => {
            r#"{"resources":[{"uri":"","name":"a"},{"uri":"odd://b","name":""}]}"#.to_owned()
        }
        "prompts/get" if mode == "nameless" => return None,
        "prompts/list" if mode == "nameless" => {
            r#"{"prompts":[{"name":""},{"name":"p"}]}"#.to_owned()
        }
        "initialize" => json!({
            "protocolVersion": request["params"]["protocolVersion"], "capabilities": { "tools": {} },
            "serverInfo": { "name": "odd", "version": "1" },
        })
        .to_string(),
        "tools/list" if mode == "nothing" => {
            return Some(format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"no such method"}}}}"#
            ));
        }
        "tools/list" => match (mode, request["params"]["cursor"].as_str()) {
            ("mutepage", Some(_)) => return None,
            ("badpage", Some(_)) => {
                return Some(format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32603,"message":"no such page"}}}}"#
                ));
            }
            (mode, cursor) => tools(mode, cursor),
        },
        "tools/call" => {
            let name = request["params"]["name"].as_str()?;
            let found = RESULTS.iter().find(|(tool, _)| *tool == name)?;
            if found.1.is_empty() {
                return odd_answer(name, id);
            }
            found.1.to_owned()
        }
        "ping" => "{}".to_owned(),
        _ => return Some(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"no such method"}}}}"#)),
    };
    Some(format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#
    ))
}

/// Returns an answer whose result or error is fine, and whose envelope is odd.
fn odd_answer(name: &str, id: &Value) -> Option<String> {
    let result = r#"{"content":[{"type":"text","text":"fine"}]}"#;
    Some(match name {
        "idstring" => format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{result}}}"#),
        "idfloat" => format!(r#"{{"jsonrpc":"2.0","id":{id}.0,"result":{result}}}"#),
        "batch" => format!(
            r#"[{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","data":"x"}}}},{{"jsonrpc":"2.0","id":{id},"result":{result}}}]"#
        ),
        "spread" => format!(
            "{{\n  \"jsonrpc\": \"2.0\",\n  \"id\": {id},\n  \"result\": {{\n    \"content\": [\n      {{ \"type\": \"text\", \"text\": \"fine\" }}\n    ]\n  }}\n}}"
        ),
        "nojsonrpc" => format!(r#"{{"id":{id},"result":{result}}}"#),
        "barerror" => format!(r#"{{"id":{id},"error":"no such page"}}"#),
        "errorcode" => {
            format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":"E1","message":"no such page","data":7}}}}"#
            )
        }
        "errordata" => format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32603,"message":"Internal error","data":{{"detail":"no such page"}}}}}}"#
        ),
        "errormessage" => format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32603,"message":{{"text":"no such page"}}}}}}"#
        ),
        "errorbare" => format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32042}}}}"#),
        "idblanks" => format!(r#"{{"jsonrpc":"2.0","id":" {id} ","result":{result}}}"#),
        "deep" => {
            let deep = format!("{}{}", "[".repeat(400), "]".repeat(400));
            format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[],"structuredContent":{deep}}}}}"#
            )
        }
        "nullerror" => format!(r#"{{"jsonrpc":"2.0","id":{id},"error":null,"result":{result}}}"#),
        _ => return None,
    })
}

/// Stops answering after the call of `mute`, and answers no further call after that of `hang`.
async fn over_stdio(mode: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut output = tokio::io::stdout();
    output
        .write_all(b"Odd server ready on stdio\n[info] with tools\n")
        .await?;
    let (mut is_mute, mut hangs) = (false, false);
    while let Some(line) = lines.next_line().await? {
        let request: Value = serde_json::from_str(&line).unwrap_or_default();
        is_mute |= request["params"]["name"] == "mute";
        hangs |= request["params"]["name"] == "hang";
        let is_silent = is_mute || (hangs && request["method"] == "tools/call");
        if let (false, Some(answer)) = (is_silent, answer(mode, &request)) {
            output.write_all(answer.as_bytes()).await?;
            output.write_all(b"\n").await?;
            output.flush().await?;
        }
    }
    Ok(())
}

struct Http {
    mode: String,
    /// The sessions whose requests get no answer any more, and whether they get the beginning of one.
    mute: Mutex<HashMap<String, bool>>,
    transport: String,
    sessions: AtomicUsize,
    calls: AtomicUsize,
}

fn json_answer(status: u16, body: impl Into<String>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    (status, [("content-type", "application/json")], body.into()).into_response()
}

/// Returns whether a call ends all answers of its session, and if so, whether they begin.
fn silence(request: &Value) -> Option<bool> {
    match request["params"]["name"].as_str()? {
        "mute" => Some(false),
        "mutestream" => Some(true),
        _ => None,
    }
}

async fn over_http(State(server): State<Arc<Http>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = request["method"].as_str().unwrap_or_default();
    // By RFC 9110, a request without the header accepts any coding.
    let accepts = headers.get("accept-encoding").map(HeaderValue::as_bytes);
    if server.transport == "identity" && accepts != Some(b"identity") {
        return json_answer(406, r#"{"message":"any coding will do"}"#);
    }
    if request.get("id").is_none() {
        return StatusCode::ACCEPTED.into_response();
    }
    let session = headers
        .get("mcp-session-id")
        .and_then(|id| id.to_str().ok());
    if let (Some(session), Some(silence)) = (session, silence(&request)) {
        let mut mute = server.mute.lock().unwrap_or_else(PoisonError::into_inner);
        mute.insert(session.to_owned(), silence);
    }
    let is_mute = session.and_then(|session| {
        let mute = server.mute.lock().unwrap_or_else(PoisonError::into_inner);
        mute.get(session).copied()
    });
    match is_mute {
        Some(true) => {
            let beginning = futures_util::stream::once(async { Ok::<_, Infallible>(": wait\n\n") });
            let body = Body::from_stream(beginning.chain(futures_util::stream::pending()));
            return ([("content-type", "text/event-stream")], body).into_response();
        }
        Some(false) => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            return StatusCode::OK.into_response();
        }
        None => {}
    }
    if request["params"]["name"] == "session" {
        let text = json!([{ "type": "text", "text": session }]);
        let id = &request["id"];
        let answer = json!({ "jsonrpc": "2.0", "id": id, "result": { "content": text } });
        return json_answer(200, answer.to_string());
    }
    let Some(text) = answer(&server.mode, &request) else {
        tokio::time::sleep(Duration::from_mins(1)).await;
        return StatusCode::OK.into_response();
    };
    // Such a server refuses everything of its first session but the lists.
    if method == "ping" && server.transport == "mute400" && session == Some("1") {
        return json_answer(400, "");
    }
    if method == "initialize" {
        let session = server.sessions.fetch_add(1, Ordering::SeqCst) + 1;
        let mut answer = json_answer(200, text);
        if let Ok(session) = session.to_string().parse() {
            answer.headers_mut().insert("mcp-session-id", session);
        }
        return answer;
    }
    // The second call ends the first session.
    if method == "tools/call" {
        let calls = server.calls.fetch_add(1, Ordering::SeqCst);
        if let Some(answer) = transported(&server.transport, calls, session, &request["id"], &text)
        {
            return answer;
        }
    }
    json_answer(200, text)
}

/// Answers a call as the transport says. Returns none if it changes nothing.
fn transported(
    transport: &str,
    calls: usize,
    session: Option<&str>,
    id: &Value,
    text: &str,
) -> Option<Response> {
    let no_session = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: no valid id"}}"#;
    Some(match transport {
        "expire400" if calls > 0 && session == Some("1") => json_answer(400, no_session),
        "expire404" if calls > 0 && session == Some("1") => json_answer(404, no_session),
        "expire410" if calls > 0 && session == Some("1") => json_answer(410, ""),
        "expire401" if calls > 0 && session == Some("1") => {
            let said = (StatusCode::UNAUTHORIZED, "Unauthorized: Session not found");
            said.into_response()
        }
        "expire500" if calls > 0 && session == Some("1") => {
            json_answer(500, r#"{"message":"unknown session"}"#)
        }
        "expire200" if calls > 0 && session == Some("1") => {
            let error = json!({ "code": -32001, "message": "Session not found" });
            json_answer(
                200,
                json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string(),
            )
        }
        "mute400" if session == Some("1") => json_answer(400, ""),
        "mute401" if session == Some("1") => json_answer(401, ""),
        "always400" => json_answer(400, no_session),
        "429date" => {
            let later = time::OffsetDateTime::now_utc() + time::Duration::hours(2);
            let later = later.format(&time::format_description::well_known::Rfc2822);
            let later = later.unwrap_or_default().replace("+0000", "GMT");
            let answer = (
                StatusCode::TOO_MANY_REQUESTS,
                [("retry-after", later)],
                "{}",
            );
            answer.into_response()
        }
        "429" => (
            StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", "7")],
            "slow down",
        )
            .into_response(),
        "403" => {
            let body = r#"{"message":"not for you"}"#;
            (
                StatusCode::FORBIDDEN,
                [("www-authenticate", "Bearer scope=\"a\"")],
                body,
            )
                .into_response()
        }
        "500" => (StatusCode::INTERNAL_SERVER_ERROR, "<html>oops</html>").into_response(),
        "202" => StatusCode::ACCEPTED.into_response(),
        "html" => ([("content-type", "text/html")], "<html>sign in</html>").into_response(),
        "204" => StatusCode::NO_CONTENT.into_response(),
        "packed" => {
            let head = [
                ("content-encoding", "br"),
                ("content-type", "application/json"),
            ];
            (head, &b"\x1f\x8b\x08\0\0"[..]).into_response()
        }
        "empty" => json_answer(200, ""),
        "plain" => ([("content-type", "text/plain")], text.to_owned()).into_response(),
        "302" => {
            let to = [("location", "https://login.example/")];
            (StatusCode::FOUND, to).into_response()
        }
        "503" => {
            let answer = (StatusCode::SERVICE_UNAVAILABLE, "down for repairs");
            answer.into_response()
        }
        "other" => {
            let body = r#"{"jsonrpc":"2.0","id":999,"result":{"content":[]}}"#;
            json_answer(200, body)
        }
        "comments" => {
            let body = ": one\n\n: two\n\n";
            ([("content-type", "text/event-stream")], body).into_response()
        }
        "ssefields" => {
            let body = format!(
                "id: 1\ndata:\n\nretry: soon\nx-own: 7\nnonsense\nevent: response\nevent: again\ndata: {text}\n"
            );
            ([("content-type", "text/event-stream")], body).into_response()
        }
        "half" => (
            [("content-type", "text/event-stream")],
            "data: {\"jsonrpc\"\n\n",
        )
            .into_response(),
        "sse" => {
            let body = format!("\u{feff}event: message\r\ndata: {text}\r\n\r\n");
            ([("content-type", "text/event-stream")], body).into_response()
        }
        _ => return None,
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [mode] => over_stdio(mode).await?,
        ["--http", mode, transport] => {
            let server = Arc::new(Http {
                mode: mode.to_owned(),
                transport: transport.to_owned(),
                sessions: AtomicUsize::new(0),
                calls: AtomicUsize::new(0),
                mute: Mutex::default(),
            });
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            println!("{}", listener.local_addr()?);
            let app = Router::new()
                .route("/mcp", post(over_http))
                .with_state(server);
            axum::serve(listener, app).await?;
        }
        _ => return Err("unknown arguments".into()),
    }
    Ok(())
}
