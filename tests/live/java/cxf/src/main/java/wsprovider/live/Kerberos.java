package wsprovider.live;

import java.io.IOException;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.Configuration;

/**
 * Where the JDK looks for its Kerberos: both places are one for the process.
 *
 * <p>A login context with {@code refreshKrb5Config=true} makes the JDK read another {@code krb5.conf} than before.
 */
final class Kerberos {
    private Kerberos() { }

    /** Follows the fields krb5Conf and jaas, as far as they are there. */
    static synchronized void configure(Request request) {
        if (request.has("krb5Conf")) {
            System.setProperty("java.security.krb5.conf", request.text("krb5Conf"));
        }
        if (request.has("jaas")) {
            String file = request.path("jaas").toUri().toString();
            if (!file.equals(System.setProperty("java.security.auth.login.config", file))) {
                Configuration.setConfiguration(null);
            }
        }
    }

    /** Answers the login module, and WSS4J by another handler. */
    record Login(String user, String password, CallbackHandler others) implements CallbackHandler {
        @Override
        public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
            for (Callback callback : callbacks) {
                if (callback instanceof NameCallback question) {
                    question.setName(user);
                } else if (callback instanceof PasswordCallback question) {
                    question.setPassword(password.toCharArray());
                } else {
                    others.handle(new Callback[] {callback});
                }
            }
        }
    }
}
