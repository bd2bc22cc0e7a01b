package wsprovider.live;

import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Collections;
import java.util.Properties;

/**
 * Collects keys and certificates from PKCS#12 and PEM files into one temporary key store, the only form Merlin reads.
 * Every key in it has the password {@link #PASSWORD}.
 */
final class KeyMaterial {
    static final String PASSWORD = "in-this-process-only";

    /** The property that tells Merlin where the store is. */
    static final String FILE_PROPERTY = "org.apache.ws.security.crypto.merlin.keystore.file";

    private final KeyStore store;

    KeyMaterial() throws GeneralSecurityException, IOException {
        store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
    }

    /** Adds the first private key of a PKCS#12 file, with its chain, under an alias. */
    KeyMaterial key(String alias, String pkcs12, String password) throws GeneralSecurityException, IOException {
        if (pkcs12 == null) {
            return this;
        }
        char[] secret = (password == null ? "" : password).toCharArray();
        KeyStore source = KeyStore.getInstance("PKCS12");
        try (InputStream bytes = new FileInputStream(pkcs12)) {
            source.load(bytes, secret);
        }
        for (String name : Collections.list(source.aliases())) {
            if (source.isKeyEntry(name)) {
                store.setKeyEntry(alias, source.getKey(name, secret), PASSWORD.toCharArray(), source.getCertificateChain(name));
                return this;
            }
        }
        throw new GeneralSecurityException("no private key in " + pkcs12);
    }

    /** Adds every certificate of a PEM file: the first under the alias itself, further ones numbered. */
    KeyMaterial certificates(String alias, String pem) throws GeneralSecurityException, IOException {
        if (pem == null) {
            return this;
        }
        int number = 0;
        try (InputStream bytes = new FileInputStream(pem)) {
            for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(bytes)) {
                store.setCertificateEntry(number == 0 ? alias : alias + "-" + number, certificate);
                number++;
            }
        }
        return this;
    }

    boolean isEmpty() throws GeneralSecurityException {
        return store.size() == 0;
    }

    KeyStore store() {
        return store;
    }

    /** Writes the store to a temporary file and returns the properties that make a Merlin read it. */
    Properties merlin() throws GeneralSecurityException, IOException {
        File file = File.createTempFile("rampart-keys", ".p12");
        file.deleteOnExit();
        try (OutputStream bytes = new FileOutputStream(file)) {
            store.store(bytes, PASSWORD.toCharArray());
        }
        Properties properties = new Properties();
        properties.setProperty("org.apache.ws.security.crypto.merlin.keystore.type", "PKCS12");
        properties.setProperty(FILE_PROPERTY, file.getPath());
        properties.setProperty("org.apache.ws.security.crypto.merlin.keystore.password", PASSWORD);
        return properties;
    }
}
