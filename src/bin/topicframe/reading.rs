//! How text files are read.

use clap::Args;
use topicframe::files::{Quotes, ReadOptions, separator_named};
use topicframe::progress::Progress;

use crate::usage::any_case;

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading files")]
pub struct Reading {
    /// Field separator of a .csv or .tsv file: a character, or `tab` [default: detected for .csv, tab for .tsv].
    #[arg(long, value_name = "CHARACTER", value_parser = separator_named)]
    separator: Option<u8>,

    /// Whether fields of a .csv or .tsv file may be quoted; `auto`: yes for .csv, detected for .tsv.
    #[arg(long, value_name = "auto|yes|no", default_value_t = Quotes::Auto, value_parser = any_case::<Quotes>)]
    quotes: Quotes,

    /// Encoding of a .csv, .tsv or JSON file: windows-1252, utf-16le, shift_jis ... [default: UTF-8, or UTF-16 if
    /// detected].
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,

    /// Maximum decompressed size of a file, in megabytes [default: proportional to the file size].
    #[arg(long, value_name = "N")]
    max_unpacked_megabytes: Option<u64>,
}

impl Reading {
    /// The options, with columns that are text even if they look numeric.
    pub fn options(&self, text: &[&str], progress: &Progress) -> ReadOptions {
        let mut options = ReadOptions::new().text(text).quotes(self.quotes).progress(progress.clone());
        if let Some(separator) = self.separator {
            options = options.separator(separator);
        }
        if let Some(encoding) = &self.encoding {
            options = options.encoding(encoding);
        }
        if let Some(megabytes) = self.max_unpacked_megabytes {
            options = options.max_unpacked_bytes(megabytes.saturating_mul(1_000_000));
        }
        options
    }
}
