//! Card readers and printers of tillroll.
