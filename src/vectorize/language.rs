//! Detecting English texts by their function words.

use std::collections::HashMap;

use super::reading::{Reading, beginning};

/// The number of texts in the evenly spaced sample.
const SAMPLE: usize = 2_000;
/// The number of words examined per text.
const WORDS_OF_A_TEXT: usize = 200;
/// A number of bytes that is certain to contain that many words.
const BYTES_OF_A_TEXT: usize = 8_000;

/// English function words that are not common words in the languages below.
const ENGLISH: &str = "the of and that with from this are you not but they which were been their would there what his \
    she who how when these those could should its our your into about than then them only some other where";

/// Function words of these languages that are not English words.
const OTHERS: [(&str, &str); 24] = [
    (
        "German",
        "der und ist nicht mit ein eine einen einem einer auf für von zu im sich dem den wie oder ich wir sie bei",
    ),
    ("French", "le les des du et est une dans pour que qui sur pas avec au aux ce cette il elle nous vous je ne sont"),
    ("Spanish", "el los las del y en una por para con se su lo como más pero es sus sobre esta"),
    ("Portuguese", "os um uma do da dos das em no na nos nas com não mais por seu sua ao"),
    ("Italian", "il di gli che è della del dei delle nel nella sono una non più anche alla al si"),
    ("Catalan", "els amb per dels és una les i"),
    ("Romanian", "și în cu nu este din pe sau la care pentru"),
    ("Dutch", "de het een van en ik niet op met voor zijn dat aan er ook te bij naar"),
    ("Danish, Norwegian", "og det en et er på af til jeg ikke som av den fra har med vi"),
    ("Swedish", "och att det som en på är av med för till inte den från ett jag"),
    ("Finnish", "ja ei että oli hän se mutta kun myös niin ovat"),
    ("Estonian", "ja ei et oli see ning kui aga"),
    ("Polish", "nie się na że z jest w do jak co po od dla przez i"),
    ("Czech, Slovak", "na se je že do si jsem pro jako ve ale byl sa nie"),
    ("Croatian, Serbian, Slovene", "je na se da su za sa od koji kao bio ne"),
    ("Hungarian", "az és hogy nem egy van csak meg volt ez"),
    ("Turkish", "bir ve bu için ile çok da ne gibi daha"),
    ("Vietnamese", "và của là có không cho người một được trong với"),
    ("Indonesian, Malay", "yang dan di ini itu dengan untuk dari pada adalah dalam tidak"),
    ("Tagalog", "ang ng mga sa ay na nang ito"),
    ("Swahili", "na ya wa kwa ni za la katika"),
    ("Latin", "et est cum ad sed quod qui quae ut ex"),
    ("Lithuanian, Latvian", "ir un kad yra su ka ar tai uz"),
    ("Welsh, Irish", "yn yr ei wedi ac agus na ar bod"),
];

/// Word counts of a sample.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    words: usize,
    ascii: usize,
    english: usize,
    other: usize,
}

impl Evidence {
    /// Whether the texts are considered English; see [`StopWords::Auto`](super::StopWords::Auto) for the rule.
    pub(super) fn is_english(&self) -> bool {
        let Evidence { words, ascii, english, other } = *self;
        if words == 0 {
            return false;
        }
        if (english + other) * 100 >= words {
            english > other && ascii * 2 >= words
        } else {
            english >= other && ascii * 10 >= words * 9
        }
    }

    /// Whether English texts show no sign of another language.
    pub(super) fn is_english_alone(&self) -> bool {
        self.is_english() && self.other * 20 <= self.english && self.ascii * 20 >= self.words * 19
    }
}

/// Gathers evidence from a sample of `texts`.
pub(super) fn gather(texts: &[&str], reading: &Reading) -> Evidence {
    let joining = joining_words();
    let mut evidence = Evidence::default();
    let mut buffer = String::new();
    let sampled = texts.len().min(SAMPLE);
    for text in (0..sampled).map(|i| texts[i * texts.len() / sampled]) {
        let mut seen = 0;
        reading.for_each_word(beginning(text, BYTES_OF_A_TEXT), &mut buffer, |word| {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            if seen < WORDS_OF_A_TEXT && !is_number {
                seen += 1;
                evidence.ascii += usize::from(word.is_ascii());
                match joining.get(word) {
                    Some(true) => evidence.english += 1,
                    Some(false) => evidence.other += 1,
                    None => {}
                }
            }
        });
        evidence.words += seen;
    }
    evidence
}

/// Function words, and whether they are English.
fn joining_words() -> HashMap<&'static str, bool> {
    let others = OTHERS.iter().flat_map(|(_, words)| words.split_whitespace()).map(|word| (word, false));
    others.chain(ENGLISH.split_whitespace().map(|word| (word, true))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn is_english(texts: &[&str]) -> bool {
        gather(texts, &Reading::plain()).is_english()
    }

    #[test]
    fn no_word_counts_on_both_sides() {
        let english: HashSet<&str> = ENGLISH.split_whitespace().collect();
        for (language, words) in OTHERS {
            for word in words.split_whitespace() {
                assert!(!english.contains(word), "{word} ({language})");
            }
        }
    }

    #[test]
    fn english() {
        assert!(is_english(&["The cat sat on the mat, and it was not amused.", "What would they say?"]));
        assert!(is_english(&["red fire truck", "cute cat clip art", "vector drawing", "12"]));
        assert!(is_english(&["Café at night in Paris", "the beach of Rio de Janeiro", "sunset", "La Paz from above"]));
        assert!(is_english(&["black and white cat", "old man with guitar", "naïve art", "dog"]));
    }

    #[test]
    fn not_english() {
        let german = ["Die Katze sitzt auf dem Tisch und schläft.", "Der Zug nach Berlin ist nicht pünktlich."];
        let french = ["Le chat est assis sur la table et il dort.", "Une photo de la plage avec des bateaux"];
        let spanish = ["El gato duerme en la mesa y no se mueve", "Una foto de la playa con los barcos"];
        let captions = ["roter Apfel auf grünem Tisch", "alte Brücke in der Stadt", "Hund mit Ball", "Bäume im Nebel"];
        let italian = ["Il gatto dorme sul tavolo della cucina", "una foto della spiaggia con le barche"];
        let dutch = ["De kat slaapt op de tafel en het regent", "een foto van het strand met boten"];
        let swedish = ["Katten sover på bordet och det regnar", "en bild av stranden med båtar"];
        for texts in [&german[..], &french, &spanish, &captions, &italian, &dutch, &swedish] {
            assert!(!is_english(texts), "{texts:?}");
        }
        assert!(!is_english(&["黒い猫が庭で寝ています", "東京駅 the best"]));
        assert!(!is_english(&["Москва слезам не верит", "кошка и собака"]));
        assert!(!is_english(&[]));
        assert!(!is_english(&["", "🎉"]));
    }
}
