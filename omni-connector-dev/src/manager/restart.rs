//! A manager that ends and starts again while a connector works.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{FAREWELL, Manager, StartError};
use crate::options::Options;

impl Manager {
    /// Ends the manager, and starts it again after a while: at the same address and with the same store. It has forgotten
    /// everything else, such as the connectors that are registered.
    pub(crate) async fn restart(&mut self, away: Duration) -> Result<(), StartError> {
        let store = self.app.shared.store.clone();
        let options = Options {
            port: self.address.port(),
            ..self.app.shared.options.clone()
        };
        self.stop.cancel();
        self.stop_supervision();
        if timeout(FAREWELL, &mut self.server).await.is_err() {
            self.server.abort();
        }
        sleep(away).await;
        *self = Self::start_with(options, store).await?;
        Ok(())
    }
}
