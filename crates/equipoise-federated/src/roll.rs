//! A set of clients, one bit each: who was drawn, who is in a sum. A hundred thousand clients are 12.5 kB, so that clients who
//! take no part cost nothing that could be measured.

use equipoise_core::Draw;

/// A set of clients below a fixed number.
#[derive(Clone, Debug)]
pub(crate) struct Roll {
    words: Vec<u64>,
}

impl Roll {
    /// Nobody, of `clients`.
    pub(crate) fn empty(clients: u32) -> Self {
        Self { words: vec![0; (clients as usize).div_ceil(64)] }
    }

    /// Puts `client` on the roll; false if it was there.
    pub(crate) fn add(&mut self, client: u32) -> bool {
        let (word, bit) = (&mut self.words[client as usize / 64], 1_u64 << (client % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether `client` is on it.
    pub(crate) fn has(&self, client: u32) -> bool {
        self.words[client as usize / 64] >> (client % 64) & 1 == 1
    }

    /// How many are on it.
    pub(crate) fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Puts everybody of `other` on it; the first who was there already, if anybody was.
    pub(crate) fn join(&mut self, other: &Self) -> Option<u32> {
        let twice = Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect() };
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
        twice.clients().next()
    }

    /// Who is on it, ascending.
    pub(crate) fn clients(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).step_by(64).zip(&self.words).flat_map(|(first, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                // The lowest bit is cleared; nothing is left of zero.
                left &= left.checked_sub(1)?;
                Some(first + bit)
            })
        })
    }

    /// `count` of `clients`, evenly and without replacement, ascending. Works in proportion to those who are drawn, or to those who
    /// are not where they are fewer.
    pub(crate) fn draw(clients: u32, count: u32, rng: &mut impl Draw) -> Vec<u32> {
        let mut roll = Self::empty(clients);
        let few = count.min(clients - count);
        let mut missing = few;
        while missing > 0 {
            let client = u32::try_from(rng.below(clients as usize)).expect("a client is below their number");
            missing -= u32::from(roll.add(client));
        }
        if few < count {
            roll.words.iter_mut().for_each(|word| *word = !*word);
        }
        // Turned round, the last word may name clients beyond the last.
        let mut drawn = Vec::with_capacity(count as usize);
        drawn.extend(roll.clients().take(count as usize));
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Seed;

    #[test]
    fn a_roll_is_a_set() {
        let (mut roll, mut other) = (Roll::empty(130), Roll::empty(130));
        let new: Vec<bool> = [0, 63, 64, 129, 64].into_iter().map(|client| roll.add(client)).collect();
        assert_eq!(new, [true, true, true, true, false]);
        assert_eq!((roll.len(), roll.clients().collect::<Vec<_>>()), (4, vec![0, 63, 64, 129]));
        assert!(roll.has(129) && !roll.has(128));
        other.add(5);
        assert_eq!(roll.join(&other), None);
        other.add(129);
        assert_eq!((roll.join(&other), roll.len()), (Some(5), 5));
    }

    #[test]
    fn as_many_as_asked_are_drawn_each_once() {
        for (clients, count) in [(1, 1), (64, 64), (65, 64), (100, 0), (100, 99), (1_000, 500), (7, 3)] {
            let drawn = Roll::draw(clients, count, &mut Seed::root(1).rng());
            assert_eq!(drawn.len(), count as usize);
            assert!(drawn.windows(2).all(|two| two[0] < two[1]) && drawn.iter().all(|&at| at < clients));
        }
    }

    /// Each client of 70 is drawn with probability 10/70 or 60/70: over 7,000 draws the standard error is 29; five of them.
    #[test]
    fn everybody_is_drawn_equally_often() {
        for count in [10, 60] {
            let mut often = [0_u32; 70];
            for draw in 0..7_000 {
                let drawn = Roll::draw(70, count, &mut Seed::root(2).derive("draw", draw).rng());
                drawn.into_iter().for_each(|client| often[client as usize] += 1);
            }
            let expected = 100 * count;
            assert!(often.iter().all(|&times| times.abs_diff(expected) < 150), "{often:?}");
        }
    }
}
