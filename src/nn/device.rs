//! Where a model runs.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "models")]
use crate::error::ErrorKind;
use crate::error::{Error, Result, Stage};

/// The device that a model runs on.
///
/// ```
/// use topicframe::embed::Device;
///
/// assert_eq!("cuda:1".parse::<Device>()?, Device::Cuda(1));
/// assert_eq!(Device::default().to_string(), "cpu");
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Device {
    /// The CPU, with all of its cores.
    #[default]
    Cpu,
    /// The NVIDIA GPU with this number, counted from 0. Requires the crate's feature `cuda`.
    Cuda(usize),
}

impl Device {
    /// Candle's handle on the device.
    #[cfg(feature = "models")]
    pub(crate) fn open(self) -> Result<candle_core::Device> {
        match self {
            Device::Cpu => Ok(candle_core::Device::Cpu),
            Device::Cuda(ordinal) => candle_core::Device::new_cuda(ordinal).map_err(|cause| {
                let hint = match cfg!(feature = "cuda") {
                    true => "Is there a GPU with this number, and is its driver installed?",
                    false => "topicframe was built without the feature `cuda`.",
                };
                let message = format!("the device `{self}` cannot be used");
                Error::new(ErrorKind::Model, Stage::Embed, message).with_cause(cause).with_hint(hint)
            }),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    /// `cpu`, `cuda` (the first GPU) or `cuda:N`.
    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Device::Cpu),
            None if text == "cuda" => Ok(Device::Cuda(0)),
            Some(("cuda", number)) if number.parse::<usize>().is_ok() => {
                Ok(Device::Cuda(number.parse().unwrap_or_default()))
            }
            _ => Err(Error::invalid_parameter(Stage::Embed, "device", text, "cpu, cuda or cuda:N")),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}
