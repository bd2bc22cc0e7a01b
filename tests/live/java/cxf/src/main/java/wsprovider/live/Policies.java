package wsprovider.live;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.cxf.Bus;
import org.apache.cxf.ws.policy.PolicyBuilder;
import org.apache.cxf.ws.policy.WSPolicyFeature;
import org.apache.neethi.Policy;

/** Policies from files, and places named either by URL or by path. */
final class Policies {
    private Policies() { }

    static WSPolicyFeature feature(Bus bus, Path file) throws Exception {
        Policy policy = bus.getExtension(PolicyBuilder.class)
            .getPolicy(Xml.parse(Files.readAllBytes(file)).getDocumentElement());
        return new WSPolicyFeature(policy);
    }

    static URL url(String location) throws IOException {
        try {
            return URI.create(location).toURL();
        } catch (IllegalArgumentException | MalformedURLException notAbsolute) {
            return Path.of(location).toUri().toURL();
        }
    }
}
