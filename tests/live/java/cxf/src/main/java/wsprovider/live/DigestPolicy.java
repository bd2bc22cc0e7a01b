package wsprovider.live;

import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * A client's own copy of a policy or WSDL in which UsernameTokens carry a hashed password.
 *
 * <p>CXF has no property for the password type; it follows the assertion HashPassword only.
 */
final class DigestPolicy {
    private static final List<String> SECURITY_POLICY = List.of(
        "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy",
        "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702");

    private DigestPolicy() { }

    static Path copyOf(String location, KeyMaterial material) throws Exception {
        Document document = Xml.parse(fetch(Policies.url(location), material));
        for (String namespace : SECURITY_POLICY) {
            NodeList tokens = document.getElementsByTagNameNS(namespace, "UsernameToken");
            for (int i = 0; i < tokens.getLength(); i++) {
                askForHash((Element) tokens.item(i));
            }
        }
        Path copy = Files.createTempFile("digest-", ".xml");
        copy.toFile().deleteOnExit();
        Files.write(copy, Xml.bytes(document));
        return copy;
    }

    private static void askForHash(Element token) {
        Element nested = Xml.firstElement(token);
        if (nested == null) {
            Element around = token;
            while (!"Policy".equals(around.getLocalName())) {
                around = (Element) around.getParentNode();
            }
            nested = token.getOwnerDocument().createElementNS(around.getNamespaceURI(), "wsp:Policy");
            token.appendChild(nested);
        }
        for (String fixed : List.of("HashPassword", "NoPassword")) {
            if (nested.getElementsByTagNameNS("*", fixed).getLength() > 0) {
                return;
            }
        }
        nested.appendChild(token.getOwnerDocument().createElementNS(token.getNamespaceURI(), "sp:HashPassword"));
    }

    private static byte[] fetch(URL url, KeyMaterial material) throws Exception {
        if (url.getProtocol().startsWith("http")) {
            HttpClient http = HttpClient.newBuilder().sslContext(material.tls(false)).build();
            return http.send(HttpRequest.newBuilder(URI.create(url.toString())).build(),
                HttpResponse.BodyHandlers.ofByteArray()).body();
        }
        try (InputStream in = url.openStream()) {
            return in.readAllBytes();
        }
    }
}
