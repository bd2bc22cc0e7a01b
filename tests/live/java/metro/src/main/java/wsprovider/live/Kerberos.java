package wsprovider.live;

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
}
