//! Tokens as numbers: a code for disk, and the public columns that a sequence model reads.
//!
//! Both are fixed. Nothing is fitted to data, so encoding costs no privacy and means the same on every platform. Categories
//! stand one column each, so that the first linear layer of a model is a learned embedding of each of them; the time
//! since the token before is a line and a row of overlapping hats over its logarithm, so that "within a minute" and "days
//! later" can weigh differently without an order between them.

use crate::Token;
use equipoise_core::{EventKind, Surface};

/// Bases of the mixed-radix code, most significant first: kind, outgoing, age, surface, gap, media.
const BASES: [usize; 6] = [EventKind::ALL.len(), 2, Token::PEER_AGES, 3, Token::GAP_BUCKETS, 2];

/// Gap buckets at which a hat peaks: none, about a minute, an hour, a day, and two weeks or more.
const PEAKS: [f32; 5] = [0.0, 6.0, 12.0, 16.0, 20.0];

impl Token {
    /// How many codes there are; they are `0..CODES`.
    pub const CODES: usize = BASES[0] * BASES[1] * BASES[2] * BASES[3] * BASES[4] * BASES[5];

    /// Columns that a step of a sequence has.
    pub const COLUMNS: usize = Self::NAMES.len();

    /// What the columns are.
    pub const NAMES: [&'static str; 32] = [
        "session-open",
        "session-close",
        "profile-change",
        "search",
        "exposure",
        "contact-request",
        "contact-accept",
        "contact-decline",
        "message",
        "call",
        "group-join",
        "group-invite",
        "block",
        "mute",
        "report",
        "outgoing",
        "peer-under-13",
        "peer-13-to-15",
        "peer-16-to-17",
        "peer-adult",
        "peer-age-unknown",
        "no-peer",
        "direct",
        "group",
        "lobby",
        "media",
        "gap",
        "gap-none",
        "gap-minute",
        "gap-hour",
        "gap-day",
        "gap-weeks",
    ];

    /// The token as one number.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // CODES fits 16 bits, which a test holds.
    pub fn code(&self) -> u16 {
        let digits = [
            usize::from(self.kind.code()),
            usize::from(self.outgoing),
            usize::from(self.peer_age),
            self.surface as usize,
            usize::from(self.gap_bucket),
            usize::from(self.media),
        ];
        digits.iter().zip(BASES).fold(0, |code, (digit, base)| code * base + digit) as u16
    }

    /// The token of a code, or `None` for a number that is no code.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Digits are below their bases.
    pub fn from_code(code: u16) -> Option<Self> {
        let (mut rest, mut digits) = (usize::from(code), [0_u8; 6]);
        for (digit, base) in digits.iter_mut().zip(BASES).rev() {
            *digit = (rest % base) as u8;
            rest /= base;
        }
        let [kind, outgoing, peer_age, surface, gap_bucket, media] = digits;
        (rest == 0).then_some(())?;
        Some(Self {
            kind: EventKind::from_code(kind)?,
            outgoing: outgoing == 1,
            peer_age,
            surface: Surface::from_code(surface)?,
            gap_bucket,
            media: media == 1,
        })
    }

    /// The columns of this token, each in `[0, 1]`.
    #[must_use]
    pub fn columns(&self) -> [f32; Self::COLUMNS] {
        let mut columns = [0.0; Self::COLUMNS];
        columns[usize::from(self.kind.code())] = 1.0;
        columns[15] = f32::from(u8::from(self.outgoing));
        columns[16 + usize::from(self.peer_age)] = 1.0;
        columns[22 + self.surface as usize] = 1.0;
        columns[25] = f32::from(u8::from(self.media));
        let gap = f32::from(self.gap_bucket);
        columns[26] = gap / 23.0;
        for (at, column) in columns[27..].iter_mut().enumerate() {
            *column = hat(gap, at);
        }
        columns
    }

    /// The columns of every code, `[CODES, COLUMNS]`: what a sequence model looks steps up in.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // CODES fits 16 bits.
    pub fn table() -> Vec<f32> {
        let columns =
            |code| Self::from_code(code as u16).map_or([0.0; Self::COLUMNS], |token| token.columns());
        (0..Self::CODES).flat_map(columns).collect()
    }
}

/// One at its peak, zero from the neighbouring peaks on, and level beyond the outermost ones: at every gap the hats sum to one.
fn hat(gap: f32, at: usize) -> f32 {
    let peak = PEAKS[at];
    let neighbour = if gap < peak { at.checked_sub(1) } else { Some(at + 1) };
    match neighbour.and_then(|next| PEAKS.get(next)) {
        Some(next) => (1.0 - (gap - peak) / (next - peak)).max(0.0),
        None => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_token_and_back() {
        assert!(Token::CODES <= usize::from(u16::MAX) + 1);
        for code in 0..u16::try_from(Token::CODES).unwrap() {
            assert_eq!(Token::from_code(code).map(|token| token.code()), Some(code));
        }
        assert_eq!(Token::from_code(u16::try_from(Token::CODES).unwrap()), None);
    }

    /// Kind 8, outgoing, age 3, group, gap 9, media: ((((8·2 + 1)·6 + 3)·3 + 1)·24 + 9)·2 + 1 = 15,187.
    #[test]
    fn a_message_is_worked_by_hand() {
        let token = Token {
            kind: EventKind::Message,
            outgoing: true,
            peer_age: 3,
            surface: Surface::Group,
            gap_bucket: 9,
            media: true,
        };
        assert_eq!(token.code(), 15_187);
        let mut want = [0.0; Token::COLUMNS];
        for (name, value) in [
            ("message", 1.0),
            ("outgoing", 1.0),
            ("peer-adult", 1.0),
            ("group", 1.0),
            ("media", 1.0),
            ("gap", 9.0 / 23.0),
            ("gap-minute", 0.5),
            ("gap-hour", 0.5),
        ] {
            want[Token::NAMES.iter().position(|have| *have == name).unwrap()] = value;
        }
        assert_eq!(token.columns().map(f32::to_bits), want.map(f32::to_bits));
    }

    #[test]
    fn two_tokens_never_share_their_columns() {
        let table = Token::table();
        let mut rows: Vec<Vec<u32>> = table
            .chunks(Token::COLUMNS)
            .map(|row| row.iter().map(|value| value.to_bits()).collect())
            .collect();
        rows.sort_unstable();
        assert!(rows.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(table.iter().all(|value| (0.0..=1.0).contains(value)));
    }

    #[test]
    fn hats_share_every_gap_between_them() {
        for gap in 0..24_u8 {
            let sum: f32 = (0..PEAKS.len()).map(|at| hat(f32::from(gap), at)).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{gap}: {sum}");
        }
    }
}
