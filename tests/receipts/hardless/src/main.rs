//! Reads ESC/POS bytes and says as JSON what they are. Usage: hardless-read FILE.bin 58|80

use hardless_render::{PaperWidth, RenderOptions, to_text_with};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(mm)) = (args.next(), args.next()) else { return Err("hardless-read FILE.bin 58|80".into()) };
    let nodes = hardless_escpos::parse(&std::fs::read(file)?);
    let paper = PaperWidth::try_from(mm.parse::<u16>()?)?;
    let text = to_text_with(&nodes, &RenderOptions { paper, show_unknown: false });
    let rows: Vec<&str> = text.lines().collect();
    println!("{}", serde_json::json!({ "rows": rows, "nodes": nodes }));
    Ok(())
}
