use super::*;

#[tokio::test(start_paused = true)]
async fn a_trickle_is_slow_and_ends_with_the_server() {
    let (mut client, mut server) = tokio::io::duplex(64);
    let drip = Duration::from_secs(5);
    let dawdler = tokio::spawn(async move {
        let pieces = b"abc".iter().copied().map(one);
        trickle(&mut client, pieces, drip).await.is_ok()
    });
    let start = Instant::now();
    for wanted in *b"abc" {
        assert_eq!(server.read_u8().await.unwrap(), wanted);
        // An answer does not end it.
        server.write_all(b"HTTP/1.1 408\r\n\r\n").await.unwrap();
    }
    assert!(start.elapsed() >= 3 * drip);
    // And then nothing more comes.
    let more = tokio::time::timeout(100 * drip, server.read_u8()).await;
    assert!(more.is_err());
    drop(server);
    assert!(dawdler.await.unwrap());
}

#[tokio::test]
async fn http2_is_left_in_the_midst_of_a_field_section() {
    let (mut client, server) = tokio::io::duplex(4096);
    client.write_all(HTTP2_OPEN).await.unwrap();
    client.write_all(CONTINUATION).await.unwrap();
    // The server has nothing to complain about, and no request either.
    let mut connection = h2::server::handshake(server).await.unwrap();
    let request = tokio::time::timeout(Duration::from_millis(200), connection.accept()).await;
    assert!(request.is_err(), "{request:?}");
    // With END_HEADERS it is one, a malformed one: `:method` alone is not enough.
    let mut last = CONTINUATION.to_vec();
    last[4] = 4;
    client.write_all(&last).await.unwrap();
    let mut heard = [0; 256];
    let reset = async {
        let mut all = Vec::new();
        // RST_STREAM: type 3, stream 1.
        while !all.windows(6).any(|w: &[u8]| w == [3, 0, 0, 0, 0, 1]) {
            let read = client.read(&mut heard).await.unwrap();
            assert!(read > 0);
            all.extend_from_slice(&heard[..read]);
        }
    };
    let both = async {
        tokio::select! {
            () = reset => true,
            _ = connection.accept() => false,
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(5), both)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_server_that_refuses_is_waited_for_no_longer_than_one_that_accepts() {
    let server = crate::testing::Server::new(Protocol::Http1, |_| async {}).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = crate::target::tests::at(nobody.local_addr().unwrap(), b"");
    drop(nobody);
    let shared = Shared {
        target,
        http1: server.client(Protocol::Http1),
        http2: server.client(Protocol::Http2),
        sources: Sources::ONE,
        drip: Duration::from_millis(10),
        refill: Semaphore::new(2),
        openers: Semaphore::new(OPENERS),
        open: Cell::default(),
        opened: Cell::default(),
        tried: Cell::default(),
        ended: Cell::default(),
    };
    for number in 0..6 {
        // Each comes once, and the first twice more, by the two permits; then all wait for one.
        let run = again_and_again(&shared, number);
        assert!(
            timeout_at(Instant::now() + Duration::from_millis(100), run)
                .await
                .is_err()
        );
    }
    assert_eq!((shared.tried.get(), shared.opened.get()), (6, 0));
    assert_eq!(shared.ended.get(), 8);
    assert_eq!(shared.open.get(), 0);
}
