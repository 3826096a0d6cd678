//! Prepares a busy extraction.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    exchange::BOUNDARY,
    fake::eventually,
    world::{World, options},
};

pub(super) async fn before_extract(world: &mut World, name: &str) {
    match name {
        "run over" => world.end(103).await,
        "413 data too large" => {
            let mut small = options();
            small.extraction.max_input_bytes = 2000;
            small.extraction.max_text_bytes = 100;
            small.extraction.max_rows = 2;
            small.extraction.concurrency = 1;
            small.extraction.retry_after = 7;
            world.restart(small).await;
        }
        "429 extraction busy" => {
            let address = world.manager().url().replace("http://", "");
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let head = format!(
                "POST /sdk/extract-text HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1000\r\n\
                 content-type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n--{BOUNDARY}\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            world.held = Some(stream);
            eventually("a busy extraction", async || {
                probe_extraction(world).await == 429
            })
            .await;
        }
        "permit free again after the client went away" => {
            world.held = None;
            eventually("a free permit", async || {
                probe_extraction(world).await != 429
            })
            .await;
        }
        _ => {}
    }
}

/// Sends a form without fields and returns the status.
async fn probe_extraction(world: &World) -> u16 {
    let url = format!("{}/sdk/extract-text", world.manager().url());
    let request = world
        .http
        .post(url)
        .header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(format!("--{BOUNDARY}--\r\n"));
    request.send().await.unwrap().status().as_u16()
}
