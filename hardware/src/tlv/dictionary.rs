//! Names of the tags that card readers send (EMV Book 3, Annex A; EMV contactless Books A and C-3), for logs and
//! tools. Values are never named here: a name tells nothing of a card.

use super::Tag;

/// Tag and name, by tag.
const NAMES: &[(Tag, &str)] = &[
    (0x42, "Issuer Identification Number"),
    (0x4F, "Application Identifier"),
    (0x50, "Application Label"),
    (0x56, "Track 1 Data"),
    (0x57, "Track 2 Equivalent Data"),
    (0x5A, "Application Primary Account Number"),
    (0x61, "Application Template"),
    (0x6F, "File Control Information Template"),
    (0x70, "Record Template"),
    (0x71, "Issuer Script Template 1"),
    (0x72, "Issuer Script Template 2"),
    (0x77, "Response Message Template Format 2"),
    (0x80, "Response Message Template Format 1"),
    (0x82, "Application Interchange Profile"),
    (0x84, "Dedicated File Name"),
    (0x86, "Issuer Script Command"),
    (0x87, "Application Priority Indicator"),
    (0x88, "Short File Identifier"),
    (0x8A, "Authorisation Response Code"),
    (0x8C, "Card Risk Management Data Object List 1"),
    (0x8D, "Card Risk Management Data Object List 2"),
    (0x8E, "Cardholder Verification Method List"),
    (0x8F, "Certification Authority Public Key Index"),
    (0x91, "Issuer Authentication Data"),
    (0x94, "Application File Locator"),
    (0x95, "Terminal Verification Results"),
    (0x97, "Transaction Certificate Data Object List"),
    (0x98, "Transaction Certificate Hash Value"),
    (0x99, "Transaction PIN Data"),
    (0x9A, "Transaction Date"),
    (0x9B, "Transaction Status Information"),
    (0x9C, "Transaction Type"),
    (0x9D, "Directory Definition File Name"),
    (0xA5, "File Control Information Proprietary Template"),
    (0x5F20, "Cardholder Name"),
    (0x5F24, "Application Expiration Date"),
    (0x5F25, "Application Effective Date"),
    (0x5F28, "Issuer Country Code"),
    (0x5F2A, "Transaction Currency Code"),
    (0x5F2D, "Language Preference"),
    (0x5F30, "Service Code"),
    (0x5F34, "Application PAN Sequence Number"),
    (0x5F36, "Transaction Currency Exponent"),
    (0x9F01, "Acquirer Identifier"),
    (0x9F02, "Amount, Authorised"),
    (0x9F03, "Amount, Other"),
    (0x9F04, "Amount, Other (binary)"),
    (0x9F05, "Application Discretionary Data"),
    (0x9F06, "Application Identifier, terminal"),
    (0x9F07, "Application Usage Control"),
    (0x9F08, "Application Version Number, card"),
    (0x9F09, "Application Version Number, terminal"),
    (0x9F0B, "Cardholder Name Extended"),
    (0x9F0D, "Issuer Action Code, Default"),
    (0x9F0E, "Issuer Action Code, Denial"),
    (0x9F0F, "Issuer Action Code, Online"),
    (0x9F10, "Issuer Application Data"),
    (0x9F11, "Issuer Code Table Index"),
    (0x9F12, "Application Preferred Name"),
    (0x9F13, "Last Online ATC Register"),
    (0x9F14, "Lower Consecutive Offline Limit"),
    (0x9F15, "Merchant Category Code"),
    (0x9F16, "Merchant Identifier"),
    (0x9F17, "PIN Try Counter"),
    (0x9F18, "Issuer Script Identifier"),
    (0x9F1A, "Terminal Country Code"),
    (0x9F1B, "Terminal Floor Limit"),
    (0x9F1C, "Terminal Identification"),
    (0x9F1D, "Terminal Risk Management Data"),
    (0x9F1E, "Interface Device Serial Number"),
    (0x9F1F, "Track 1 Discretionary Data"),
    (0x9F20, "Track 2 Discretionary Data"),
    (0x9F21, "Transaction Time"),
    (0x9F22, "Certification Authority Public Key Index, terminal"),
    (0x9F26, "Application Cryptogram"),
    (0x9F27, "Cryptogram Information Data"),
    (0x9F2D, "ICC PIN Encipherment Public Key Certificate"),
    (0x9F32, "Issuer Public Key Exponent"),
    (0x9F33, "Terminal Capabilities"),
    (0x9F34, "Cardholder Verification Method Results"),
    (0x9F35, "Terminal Type"),
    (0x9F36, "Application Transaction Counter"),
    (0x9F37, "Unpredictable Number"),
    (0x9F38, "Processing Options Data Object List"),
    (0x9F39, "Point-of-Service Entry Mode"),
    (0x9F3A, "Amount, Reference Currency"),
    (0x9F3C, "Transaction Reference Currency Code"),
    (0x9F3D, "Transaction Reference Currency Exponent"),
    (0x9F40, "Additional Terminal Capabilities"),
    (0x9F41, "Transaction Sequence Counter"),
    (0x9F42, "Application Currency Code"),
    (0x9F44, "Application Currency Exponent"),
    (0x9F45, "Data Authentication Code"),
    (0x9F46, "ICC Public Key Certificate"),
    (0x9F47, "ICC Public Key Exponent"),
    (0x9F49, "Dynamic Data Authentication Data Object List"),
    (0x9F4A, "Static Data Authentication Tag List"),
    (0x9F4B, "Signed Dynamic Application Data"),
    (0x9F4C, "ICC Dynamic Number"),
    (0x9F4D, "Log Entry"),
    (0x9F4E, "Merchant Name and Location"),
    (0x9F53, "Transaction Category Code"),
    (0x9F66, "Terminal Transaction Qualifiers"),
    (0x9F6B, "Track 2 Data, contactless"),
    (0x9F6C, "Card Transaction Qualifiers"),
    (0x9F6E, "Form Factor Indicator"),
    (0x9F7C, "Customer Exclusive Data"),
    (0xBF0C, "File Control Information Issuer Discretionary Data"),
];

/// What a tag is called; `None` for one that is not in the books.
pub fn name(tag: Tag) -> Option<&'static str> {
    let place = NAMES.binary_search_by_key(&tag, |(known, _)| *known).ok()?;
    NAMES.get(place).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_tag_can_be_looked_up() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(name(0x9F26), Some("Application Cryptogram"));
        assert_eq!(name(0x82), Some("Application Interchange Profile"));
        assert_eq!(name(0xDF_DF59), None);
    }
}
