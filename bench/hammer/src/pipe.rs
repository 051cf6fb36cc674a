//! Standard input and output, which keep time with the process that measures.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Stdin};

use crate::Error;

pub(crate) async fn say(line: &str) -> Result<(), Error> {
    let mut out = tokio::io::stdout();
    out.write_all(format!("{line}\n").as_bytes())
        .await
        .map_err(Error::Pipe)?;
    out.flush().await.map_err(Error::Pipe)
}

/// The lines of whoever measures; one that dies closes the pipe.
pub(crate) struct Input(BufReader<Stdin>);

impl Input {
    pub(crate) fn new() -> Self {
        Self(BufReader::new(tokio::io::stdin()))
    }

    /// A line, or the end of all lines.
    pub(crate) async fn line(&mut self) -> Result<(), Error> {
        self.0
            .read_line(&mut String::new())
            .await
            .map_err(Error::Pipe)?;
        Ok(())
    }
}
