//! Compressed payloads: gzip, zlib, zstd, LZ4 frames, snappy (framed, xerial, raw). Output is bounded while it is made.

use std::io::{self, Read};

use super::view::Limits;

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zlib,
    /// Without zlib's frame: only where declared.
    Deflate,
    Zstd,
    Lz4,
    SnappyFramed,
    /// snappy-java's own frame.
    SnappyXerial,
    /// Without a frame: only where declared.
    SnappyRaw,
}

const XERIAL: &[u8] = b"\x82SNAPPY\0";

impl Compression {
    /// The name for `format`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib | Self::Deflate => "zlib",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::SnappyFramed | Self::SnappyXerial | Self::SnappyRaw => "snappy",
        }
    }

    /// By its first bytes.
    pub(super) fn by_magic(data: &[u8]) -> Option<Self> {
        Some(match data {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0 && flags & 0x20 == 0 => Self::Zlib,
            _ if data.starts_with(b"\xff\x06\0\0sNaPpY") => Self::SnappyFramed,
            _ if data.starts_with(XERIAL) => Self::SnappyXerial,
            _ => return None,
        })
    }

    /// By the name in a declaration, for data that has no magic of its own.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "zlib" => Self::Zlib,
            "zstd" => Self::Zstd,
            "lz4" => Self::Lz4,
            "snappy" | "x-snappy" => Self::SnappyRaw,
            _ => return None,
        })
    }

    /// Whether two bytes of magic are all that speaks for it: then a failure means that it was something else.
    pub(super) const fn is_weak(self) -> bool {
        matches!(self, Self::Zlib)
    }

    /// Decompresses all of it, or says why not.
    pub(super) fn decode(self, data: &[u8], limits: &Limits) -> Result<Vec<u8>, String> {
        match self {
            Self::Gzip => bounded(flate2::read::MultiGzDecoder::new(data), data.len(), limits),
            Self::Zlib => whole(flate2::bufread::ZlibDecoder::new(data), data.len(), limits, |rest| rest.into_inner()),
            Self::Deflate => {
                whole(flate2::bufread::DeflateDecoder::new(data), data.len(), limits, |rest| rest.into_inner())
            }
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(data).map_err(|error| error.to_string())?;
                // A window larger than the output that we take is of no use.
                decoder.window_log_max(27).map_err(|error| error.to_string())?;
                bounded(decoder, data.len(), limits)
            }
            Self::Lz4 => {
                let out = bounded(lz4_flex::frame::FrameDecoder::new(data), data.len(), limits)?;
                if has_lz4_end(data) { Ok(out) } else { Err("it is cut".to_owned()) }
            }
            Self::SnappyFramed => bounded(snap::read::FrameDecoder::new(data), data.len(), limits),
            Self::SnappyXerial => xerial(data, limits),
            Self::SnappyRaw => {
                let mut out = Vec::new();
                snappy_block(data, data.len(), &mut out, limits)?;
                Ok(out)
            }
        }
    }
}

/// Reads all that a decoder gives, up to the limits.
fn bounded(decoder: impl Read, input: usize, limits: &Limits) -> Result<Vec<u8>, String> {
    let most = limits.most(input);
    let mut out = Vec::new();
    let read = decoder.take(most as u64 + 1).read_to_end(&mut out).map_err(|error| reason(&error))?;
    if read > most { Err(limits.refusal(input)) } else { Ok(out) }
}

/// As [`bounded`], for a decoder that stops at its own end: nothing may follow.
fn whole<'a, D: Read>(
    mut decoder: D,
    input: usize,
    limits: &Limits,
    rest: impl FnOnce(D) -> &'a [u8],
) -> Result<Vec<u8>, String> {
    let out = bounded(&mut decoder, input, limits)?;
    match rest(decoder).len() {
        0 => Ok(out),
        more => Err(format!("{more} bytes follow its end")),
    }
}

/// Whether the last frame has its end mark, for which the decoder does not look: four zeros, and a checksum behind them
/// where the frame's flags say so.
fn has_lz4_end(data: &[u8]) -> bool {
    const CONTENT_CHECKSUM: u8 = 0x04;
    let checksum = if data.get(4).is_some_and(|flags| flags & CONTENT_CHECKSUM != 0) { 4 } else { 0 };
    data.len().checked_sub(checksum).and_then(|end| data.get(..end)).is_some_and(|data| data.ends_with(&[0; 4]))
}

/// snappy-java: a header of 16 bytes, then blocks, each with its length before it.
fn xerial(data: &[u8], limits: &Limits) -> Result<Vec<u8>, String> {
    let mut rest = data.get(16..).ok_or("it is cut in its header")?;
    let mut out = Vec::new();
    while let Some((length, blocks)) = rest.split_first_chunk::<4>() {
        let block = usize::try_from(u32::from_be_bytes(*length)).ok().and_then(|length| blocks.get(..length));
        let block = block.ok_or("its last block is cut")?;
        snappy_block(block, data.len(), &mut out, limits)?;
        rest = blocks.get(block.len()..).unwrap_or_default();
    }
    if rest.is_empty() { Ok(out) } else { Err("its last block is cut".to_owned()) }
}

fn snappy_block(block: &[u8], input: usize, out: &mut Vec<u8>, limits: &Limits) -> Result<(), String> {
    let length = snap::raw::decompress_len(block).map_err(|error| error.to_string())?;
    if out.len().saturating_add(length) > limits.most(input) {
        return Err(limits.refusal(input));
    }
    let decoded = snap::raw::Decoder::new().decompress_vec(block).map_err(|error| error.to_string())?;
    out.extend_from_slice(&decoded);
    Ok(())
}

impl Limits {
    /// How many bytes may come out of that many.
    fn most(&self, input: usize) -> usize {
        input.saturating_mul(self.ratio).max(Self::FREE).min(self.bytes)
    }

    fn refusal(&self, input: usize) -> String {
        let most = self.most(input);
        if most < self.bytes {
            format!("it grows to more than {} times its size, like a bomb", self.ratio)
        } else {
            format!("it grows beyond {most} bytes")
        }
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    pub(in super::super) fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn xerial(data: &[u8]) -> Vec<u8> {
        let mut out = [XERIAL, &[0, 0, 0, 1, 0, 0, 0, 1]].concat();
        for block in data.chunks(1000) {
            let block = snap::raw::Encoder::new().compress_vec(block).unwrap();
            out.extend_from_slice(&u32::try_from(block.len()).unwrap().to_be_bytes());
            out.extend_from_slice(&block);
        }
        out
    }

    fn samples(data: &[u8]) -> Vec<(Compression, Vec<u8>)> {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(data).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(data).unwrap();
        let mut framed = snap::write::FrameEncoder::new(Vec::new());
        framed.write_all(data).unwrap();
        vec![
            (Compression::Gzip, gzip(data)),
            (Compression::Zlib, zlib.finish().unwrap()),
            (Compression::Zstd, zstd::bulk::compress(data, 3).unwrap()),
            (Compression::Lz4, lz4.finish().unwrap()),
            (Compression::SnappyFramed, framed.into_inner().unwrap()),
            (Compression::SnappyXerial, xerial(data)),
        ]
    }

    #[test]
    fn each_is_known_by_its_magic_and_decoded_whole() {
        let data = b"{\"order\":17}".repeat(500);
        for (kind, packed) in samples(&data) {
            assert_eq!(Compression::by_magic(&packed), Some(kind));
            assert_eq!(kind.decode(&packed, &Limits::default()), Ok(data.clone()), "{kind:?}");
        }
        let raw = snap::raw::Encoder::new().compress_vec(&data).unwrap();
        assert_eq!(Compression::SnappyRaw.decode(&raw, &Limits::default()), Ok(data));
    }

    #[test]
    fn cut_or_broken_data_has_a_reason_and_never_a_result() {
        let data: Vec<u8> = (0..20_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 7).to_be_bytes()).collect();
        for (kind, packed) in samples(&data) {
            for end in [packed.len() - 1, packed.len() / 2, 17, 5] {
                let decoded = kind.decode(&packed[..end], &Limits::default());
                assert!(decoded.is_err(), "{kind:?} cut at {end} gave {:?} bytes", decoded.map(|out| out.len()));
            }
            let more = [&packed[..], b"tail"].concat();
            assert!(kind.decode(&more, &Limits::default()).is_err(), "{kind:?} with a tail");
        }
    }

    #[test]
    fn bombs_stop_at_the_limit() {
        let zeros = vec![0; 12 << 20];
        for (kind, packed) in samples(&zeros) {
            let told = kind.decode(&packed, &Limits::default()).unwrap_err();
            assert!(told.contains("grows"), "{kind:?}: {told}");
        }
        let claims = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], b"x"].concat();
        assert!(Compression::SnappyRaw.decode(&claims, &Limits::default()).is_err());
    }
}
