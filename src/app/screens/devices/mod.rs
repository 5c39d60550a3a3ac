//! Card readers: which one is used, which ones are near, pairing and forgetting.

pub mod update;
pub mod view;

use crate::app::model::{DevicesStage, Model};
use crate::app::msg::DeviceRow;

/// The selected reader.
pub fn selected(model: &Model) -> Option<&DeviceRow> {
    model.devices.news.rows.get(model.devices.selected)
}

/// Whether pairing must come to its end first.
pub fn is_pairing(model: &Model) -> bool {
    !matches!(model.devices.stage, DevicesStage::List)
}
