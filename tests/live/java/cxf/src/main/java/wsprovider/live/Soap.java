package wsprovider.live;

import jakarta.xml.soap.MessageFactory;
import jakarta.xml.soap.SOAPBody;
import jakarta.xml.soap.SOAPConstants;
import jakarta.xml.soap.SOAPFault;
import jakarta.xml.soap.SOAPMessage;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import javax.xml.transform.dom.DOMSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** The two SOAP versions: their envelopes, their faults and their HTTP headers. */
enum Soap {
    V11("http://schemas.xmlsoap.org/soap/envelope/", SOAPConstants.SOAP_1_1_PROTOCOL),
    V12("http://www.w3.org/2003/05/soap-envelope", SOAPConstants.SOAP_1_2_PROTOCOL);

    private final String namespace;
    private final String protocol;

    Soap(String namespace, String protocol) {
        this.namespace = namespace;
        this.protocol = protocol;
    }

    static Soap named(String version) {
        return "1.2".equals(version) ? V12 : V11;
    }

    static Soap of(Document envelope) {
        return V12.namespace.equals(envelope.getDocumentElement().getNamespaceURI()) ? V12 : V11;
    }

    String namespace() {
        return namespace;
    }

    Document envelope(Document payload) throws Exception {
        Document envelope = Xml.builder().newDocument();
        Element root = envelope.createElementNS(namespace, "soap:Envelope");
        root.setAttributeNS("http://www.w3.org/2000/xmlns/", "xmlns:soap", namespace);
        envelope.appendChild(root);
        root.appendChild(envelope.createElementNS(namespace, "soap:Header"));
        Element body = envelope.createElementNS(namespace, "soap:Body");
        body.appendChild(envelope.importNode(payload.getDocumentElement(), true));
        root.appendChild(body);
        return envelope;
    }

    /** The payload of an envelope, null when its Body is empty. */
    Element payload(Document envelope) {
        return Xml.firstElement(body(envelope));
    }

    Element body(Document envelope) {
        for (var node = envelope.getDocumentElement().getFirstChild(); node != null; node = node.getNextSibling()) {
            if ("Body".equals(node.getLocalName()) && namespace.equals(node.getNamespaceURI())) {
                return (Element) node;
            }
        }
        throw new IllegalArgumentException("no Body in the envelope");
    }

    /** The fault an envelope carries, null when it carries something else. */
    SOAPFault fault(Document envelope) throws Exception {
        SOAPMessage message = MessageFactory.newInstance(protocol).createMessage();
        message.getSOAPPart().setContent(new DOMSource(envelope));
        SOAPBody body = message.getSOAPBody();
        return body.hasFault() ? body.getFault() : null;
    }

    HttpResponse<byte[]> post(HttpClient http, String url, String action, byte[] message) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url))
            .timeout(Duration.ofSeconds(60))
            .POST(HttpRequest.BodyPublishers.ofByteArray(message));
        if (this == V12) {
            request.header("Content-Type", "application/soap+xml; charset=UTF-8; action=\"" + action + "\"");
        } else {
            request.header("Content-Type", "text/xml; charset=UTF-8").header("SOAPAction", "\"" + action + "\"");
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }
}
