//! However the network cuts a stream, the same is read of it.

use super::decode::{cases, decoder, frames, wire};

fn cut_everywhere(provider: &str) {
    for case in cases(provider) {
        let bytes = wire(provider, &case);
        let read = |parts: &[&[u8]]| frames(decoder(provider, &case.name).as_mut(), parts);
        let whole = read(&[&bytes]);
        assert!(!whole.is_empty(), "{provider}/{} says nothing", case.name);
        for at in 1..bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(read(&[head, tail]), whole, "{provider}/{} cut at {at}", case.name);
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single), whole, "{provider}/{} byte by byte", case.name);
    }
}

#[test]
fn an_openai_stream_reads_the_same_however_it_is_cut() {
    cut_everywhere("openai");
}

#[test]
fn a_messages_stream_reads_the_same_however_it_is_cut() {
    cut_everywhere("anthropic");
}

#[test]
fn a_bedrock_stream_reads_the_same_however_it_is_cut() {
    cut_everywhere("bedrock");
}
