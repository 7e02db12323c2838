//! Messages as bytes: versioned, bound to session and parameter set, of one exact length each.
//!
//! Nothing is allocated before the length is the plan's and the prefix is right; whatever differs is a typed error.

use super::error::FusionError;
use super::messages::{FlagBody, FlagMask, FlagShare, KeyContribution, SEED, ScoreUpload};
use super::plan::FusionKeys;
use super::pseudonym::Pseudonym;
use super::public::FusionPublic;

const MAGIC: [u8; 6] = *b"eqfuse";
const VERSION: u8 = 1;
const PREFIX: usize = 6 + 1 + 1 + 2 + 16;
/// Bytes before the rows of an upload (a seeded one has its seed after it).
pub(crate) const UPLOAD_HEADER: usize = PREFIX + 4 + 32;

/// A message that can be written and read.
pub trait FusionMessage: Sized {
    /// Writes the message.
    fn to_bytes(&self, public: &FusionPublic) -> Vec<u8>;
    /// Reads a message of this session.
    ///
    /// # Errors
    /// [`FusionError::Malformed`] if length, magic, kind, version, parameter set or session differ.
    fn from_bytes(bytes: &[u8], public: &FusionPublic) -> Result<Self, FusionError>;
}

/// What a message is, on the wire.
#[derive(Clone, Copy)]
enum Kind {
    Upload = 1,
    SeededUpload = 2,
    Mask = 3,
    Body = 4,
    Share = 5,
    Contribution = 6,
}

fn prefix(kind: Kind, public: &FusionPublic, payload: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX + payload);
    bytes.extend(MAGIC);
    bytes.extend([kind as u8, VERSION]);
    bytes.extend(public.plan.params.wire_id.to_le_bytes());
    bytes.extend(public.session.0);
    bytes
}

fn open<'a>(
    bytes: &'a [u8],
    kind: Kind,
    public: &FusionPublic,
    payload: usize,
) -> Result<Reader<'a>, FusionError> {
    let (got, want) = (bytes.len(), PREFIX + payload);
    if got != want {
        let what = if got < want { "truncated" } else { "too long" };
        return Err(FusionError::Malformed(format!("{what}: {got} bytes, the plan says {want}")));
    }
    let expected = prefix(kind, public, 0);
    let fields =
        [(0..6, "magic"), (6..7, "kind"), (7..8, "version"), (8..10, "parameter set"), (10..26, "session")];
    for (range, name) in fields {
        if bytes[range.clone()] != expected[range] {
            return Err(FusionError::Malformed(format!("another {name} than this session's")));
        }
    }
    Ok(Reader(&bytes[PREFIX..]))
}

/// Takes fields off the front; the length was checked before.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("the length was checked before the fields");
        self.0 = rest;
        *field
    }

    fn words(&self) -> Vec<u64> {
        let (words, _) = self.0.as_chunks::<8>();
        words.iter().map(|word| u64::from_le_bytes(*word)).collect()
    }
}

impl FusionMessage for ScoreUpload {
    fn to_bytes(&self, public: &FusionPublic) -> Vec<u8> {
        let kind = if self.seed.is_some() { Kind::SeededUpload } else { Kind::Upload };
        let mut bytes = prefix(kind, public, UPLOAD_HEADER - PREFIX + SEED + 8 * self.rows.len());
        bytes.extend(self.platform.to_le_bytes());
        bytes.extend(self.account.bytes());
        self.seed.iter().for_each(|seed| bytes.extend(seed));
        bytes.extend(self.rows.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }

    fn from_bytes(bytes: &[u8], public: &FusionPublic) -> Result<Self, FusionError> {
        let plan = &public.plan;
        let polynomials = 8 * plan.params.polynomial_size * 2 * plan.params.levels;
        let fixed = UPLOAD_HEADER - PREFIX;
        let (kind, payload) = match plan.keys {
            FusionKeys::Shared => (Kind::SeededUpload, fixed + SEED + polynomials),
            FusionKeys::Joint { .. } => (Kind::Upload, fixed + 2 * polynomials),
        };
        let mut reader = open(bytes, kind, public, payload)?;
        let platform = u32::from_le_bytes(reader.take());
        if platform as usize >= plan.spec.weights.len() {
            let platforms = plan.spec.weights.len();
            return Err(FusionError::Malformed(format!("platform {platform}, the plan has {platforms}")));
        }
        let account = Pseudonym::new(reader.take());
        let seed = matches!(plan.keys, FusionKeys::Shared).then(|| reader.take());
        Ok(Self { platform, account, seed, rows: reader.words() })
    }
}

impl FusionMessage for FlagMask {
    fn to_bytes(&self, public: &FusionPublic) -> Vec<u8> {
        let mut bytes = prefix(Kind::Mask, public, 64 + 4 * self.mask.len());
        bytes.extend(self.account.bytes());
        bytes.extend(self.rule);
        bytes.extend(self.mask.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }

    fn from_bytes(bytes: &[u8], public: &FusionPublic) -> Result<Self, FusionError> {
        let payload = 64 + 4 * public.plan.params.polynomial_size;
        let mut reader = open(bytes, Kind::Mask, public, payload)?;
        let (account, rule) = (Pseudonym::new(reader.take()), reader.take());
        let (words, _) = reader.0.as_chunks::<4>();
        Ok(Self { account, rule, mask: words.iter().map(|word| u32::from_le_bytes(*word)).collect() })
    }
}

impl FusionMessage for FlagBody {
    fn to_bytes(&self, public: &FusionPublic) -> Vec<u8> {
        let mut bytes = prefix(Kind::Body, public, 72);
        bytes.extend(self.account.bytes());
        bytes.extend(self.mask);
        bytes.extend(self.body.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8], public: &FusionPublic) -> Result<Self, FusionError> {
        let mut reader = open(bytes, Kind::Body, public, 72)?;
        let (account, mask) = (Pseudonym::new(reader.take()), reader.take());
        Ok(Self { account, mask, body: u64::from_le_bytes(reader.take()) })
    }
}

impl FusionMessage for FlagShare {
    fn to_bytes(&self, public: &FusionPublic) -> Vec<u8> {
        let mut bytes = prefix(Kind::Share, public, 76);
        bytes.extend(self.holder.to_le_bytes());
        bytes.extend(self.account.bytes());
        bytes.extend(self.mask);
        bytes.extend(self.value.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8], public: &FusionPublic) -> Result<Self, FusionError> {
        let mut reader = open(bytes, Kind::Share, public, 76)?;
        let holder = u32::from_le_bytes(reader.take());
        let (account, mask) = (Pseudonym::new(reader.take()), reader.take());
        Ok(Self { holder, account, mask, value: u64::from_le_bytes(reader.take()) })
    }
}

impl FusionMessage for KeyContribution {
    fn to_bytes(&self, public: &FusionPublic) -> Vec<u8> {
        let mut bytes = prefix(Kind::Contribution, public, 4 + 8 * self.body.len());
        bytes.extend(self.holder.to_le_bytes());
        bytes.extend(self.body.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }

    fn from_bytes(bytes: &[u8], public: &FusionPublic) -> Result<Self, FusionError> {
        let payload = 4 + 8 * public.plan.params.polynomial_size;
        let mut reader = open(bytes, Kind::Contribution, public, payload)?;
        Ok(Self { holder: u32::from_le_bytes(reader.take()), body: reader.words() })
    }
}
