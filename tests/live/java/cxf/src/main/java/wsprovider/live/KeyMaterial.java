package wsprovider.live;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.apache.wss4j.common.crypto.Crypto;
import org.apache.wss4j.common.crypto.Merlin;

/**
 * The keys of one party: its own key pair, the peer's certificate and the authorities it trusts.
 *
 * @param alias name of the own key in {@code keys}, null when the party has none
 * @param peer the certificate of the other side, null when not known beforehand
 */
record KeyMaterial(KeyStore keys, String alias, char[] password, X509Certificate peer, KeyStore trusted) {
    static final String PEER = "peer";

    /** What a client holds, from the fields client, clientPassword, serviceCert and ca. */
    static KeyMaterial ofClient(Request request) throws IOException, GeneralSecurityException {
        return load(request.path("client"), request.text("clientPassword", "development"),
            request.path("serviceCert"), request.path("ca"));
    }

    /** What a service holds, from the fields service, servicePassword, ca and knownClients. */
    static KeyMaterial ofService(Request request) throws IOException, GeneralSecurityException {
        KeyMaterial material =
            load(request.path("service"), request.text("servicePassword", "development"), null, request.path("ca"));
        int number = 0;
        for (String pem : request.texts("knownClients")) {
            for (X509Certificate known : certificates(Path.of(pem))) {
                material.keys.setCertificateEntry("known-" + number++, known);
            }
        }
        return material;
    }

    private static KeyMaterial load(Path pkcs12, String password, Path peerPem, Path authoritiesPem)
            throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        if (pkcs12 == null) {
            keys.load(null, null);
        } else {
            try (InputStream in = Files.newInputStream(pkcs12)) {
                keys.load(in, password.toCharArray());
            }
        }
        String alias = keyAlias(keys);
        X509Certificate peer = null;
        if (peerPem != null) {
            peer = certificates(peerPem).get(0);
            keys.setCertificateEntry(PEER, peer);
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        if (authoritiesPem != null) {
            int number = 0;
            for (X509Certificate authority : certificates(authoritiesPem)) {
                trusted.setCertificateEntry("authority-" + number++, authority);
            }
        }
        return new KeyMaterial(keys, alias, password.toCharArray(), peer, trusted);
    }

    X509Certificate certificate() throws GeneralSecurityException {
        return (X509Certificate) keys.getCertificate(alias);
    }

    Crypto crypto() {
        Merlin merlin = new Merlin();
        merlin.setKeyStore(keys);
        merlin.setTrustStore(trusted);
        return merlin;
    }

    TrustManager[] trustManagers() throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        return factory.getTrustManagers();
    }

    KeyManager[] keyManagers() throws GeneralSecurityException {
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(keys, password);
        return factory.getKeyManagers();
    }

    /** TLS that trusts the authorities and, when asked to, shows the own certificate. */
    SSLContext tls(boolean showCertificate) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(showCertificate ? keyManagers() : null, trustManagers(), null);
        return context;
    }

    private static String keyAlias(KeyStore keys) throws GeneralSecurityException {
        for (String alias : Collections.list(keys.aliases())) {
            if (keys.isKeyEntry(alias)) {
                return alias;
            }
        }
        return null;
    }

    private static List<X509Certificate> certificates(Path pem) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(pem)) {
            Collection<? extends Certificate> read = CertificateFactory.getInstance("X.509").generateCertificates(in);
            return read.stream().map(X509Certificate.class::cast).toList();
        }
    }
}
