package wsprovider.live;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The keys of one party: its own key pair under {@link #OWN}, if it has one, and the certificates it knows: the peer's
 * under {@link #PEER}, further ones, and those of the authorities it trusts.
 */
final class KeyMaterial {
    static final String OWN = "own";
    static final String PEER = "peer";

    /** Of the stores we write; they live as long as the process. */
    static final String PASSWORD = "in-this-process-only";

    private final KeyStore keys = empty();
    private final KeyStore known = empty();
    private final KeyStore authorities = empty();

    private KeyMaterial() throws GeneralSecurityException, IOException { }

    /** What a client holds, from the fields client, clientPassword, serviceCert and ca. */
    static KeyMaterial ofClient(Request request) throws GeneralSecurityException, IOException {
        KeyMaterial material = new KeyMaterial();
        material.addKey(request.path("client"), request.text("clientPassword", "development"));
        material.addKnown(PEER, request.path("serviceCert"));
        material.addAuthorities(request.path("ca"));
        return material;
    }

    /** What a service holds, from the fields service, servicePassword, ca and knownClients. */
    static KeyMaterial ofService(Request request) throws GeneralSecurityException, IOException {
        KeyMaterial material = new KeyMaterial();
        material.addKey(request.path("service"), request.text("servicePassword", "development"));
        int number = 0;
        for (String pem : request.texts("knownClients")) {
            material.addKnown("known-" + number++, Path.of(pem));
        }
        material.addAuthorities(request.path("ca"));
        return material;
    }

    boolean hasKey() throws GeneralSecurityException {
        return keys.containsAlias(OWN);
    }

    boolean hasPeer() throws GeneralSecurityException {
        return known.containsAlias(PEER);
    }

    void writeKeys(Path file) throws GeneralSecurityException, IOException {
        write(keys, file);
    }

    void writeKnown(Path file) throws GeneralSecurityException, IOException {
        write(known, file);
    }

    /** TLS that trusts the authorities and, when asked to, shows the own certificate. */
    SSLContext tls(boolean showCertificate) throws GeneralSecurityException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(authorities);
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(showCertificate ? own.getKeyManagers() : null, trust.getTrustManagers(), null);
        return context;
    }

    private void addKey(Path pkcs12, String password) throws GeneralSecurityException, IOException {
        if (pkcs12 == null) {
            return;
        }
        KeyStore source = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(pkcs12)) {
            source.load(in, password.toCharArray());
        }
        for (String alias : Collections.list(source.aliases())) {
            if (source.isKeyEntry(alias)) {
                keys.setKeyEntry(OWN, source.getKey(alias, password.toCharArray()), PASSWORD.toCharArray(),
                    source.getCertificateChain(alias));
                return;
            }
        }
        throw new GeneralSecurityException("no private key in " + pkcs12);
    }

    private void addKnown(String alias, Path pem) throws GeneralSecurityException, IOException {
        if (pem != null) {
            known.setCertificateEntry(alias, certificates(pem).get(0));
        }
    }

    private void addAuthorities(Path pem) throws GeneralSecurityException, IOException {
        if (pem == null) {
            return;
        }
        int number = 0;
        for (X509Certificate authority : certificates(pem)) {
            String alias = "authority-" + number++;
            authorities.setCertificateEntry(alias, authority);
            known.setCertificateEntry(alias, authority);
        }
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static void write(KeyStore store, Path file) throws GeneralSecurityException, IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, PASSWORD.toCharArray());
        }
    }

    private static List<X509Certificate> certificates(Path pem) throws GeneralSecurityException, IOException {
        try (InputStream in = Files.newInputStream(pem)) {
            Collection<?> read = CertificateFactory.getInstance("X.509").generateCertificates(in);
            return read.stream().map(X509Certificate.class::cast).toList();
        }
    }
}
