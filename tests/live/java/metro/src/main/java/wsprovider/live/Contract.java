package wsprovider.live;

import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.net.ssl.HttpsURLConnection;
import javax.xml.namespace.QName;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** A WSDL in one document: who speaks which version of SOAP in it, and which policies hang on its bindings. */
final class Contract {
    private static final String WSDL = "http://schemas.xmlsoap.org/wsdl/";
    private static final String SOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/";
    private static final String SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/";
    private static final List<String> POLICY =
        List.of("http://schemas.xmlsoap.org/ws/2004/09/policy", "http://www.w3.org/ns/ws-policy");
    private static final String UTILITY =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    private static final String NAMESPACES = "http://www.w3.org/2000/xmlns/";

    /** What WSO2's files hold beside the policy; Metro takes an assertion it does not know for one it cannot fulfil. */
    private static final Set<String> FOREIGN = Set.of("RampartConfig", "CarbonSecConfig");

    private final Document document;

    Contract(Document document) {
        this.document = document;
    }

    /** Reads a WSDL from a URL or file; TLS goes by the client's authorities. */
    static Contract read(String location, KeyMaterial material) throws Exception {
        URLConnection connection = url(location).openConnection();
        if (connection instanceof HttpsURLConnection secure) {
            secure.setSSLSocketFactory(material.tls(false).getSocketFactory());
        }
        try (InputStream in = connection.getInputStream()) {
            return new Contract(Xml.parse(in.readAllBytes()));
        }
    }

    Contract copy() {
        return new Contract((Document) document.cloneNode(true));
    }

    QName service() {
        return named(Xml.elements(document, WSDL, "service").get(0));
    }

    QName port(String soap) {
        String wanted = "1.2".equals(soap) ? SOAP12 : SOAP11;
        for (Element port : Xml.elements(document, WSDL, "port")) {
            for (Node child = port.getFirstChild(); child != null; child = child.getNextSibling()) {
                if ("address".equals(child.getLocalName()) && wanted.equals(child.getNamespaceURI())) {
                    return named(port);
                }
            }
        }
        throw new IllegalArgumentException("no port for SOAP " + soap);
    }

    /** Sets the address of every port. */
    Contract at(String url) {
        Stream.of(SOAP11, SOAP12).flatMap(soap -> Xml.elements(document, soap, "address").stream())
            .forEach(address -> address.setAttribute("location", url));
        return this;
    }

    /** Takes every policy out. */
    Contract bare() {
        for (String namespace : POLICY) {
            Xml.elements(document, namespace, "*").forEach(Contract::remove);
        }
        return this;
    }

    /** Hangs a policy on every binding, beside those which hang there already. */
    Contract with(Document policy) {
        String id = "driver-" + Xml.elements(document, "*", "PolicyReference").size();
        Element adopted = (Element) document.importNode(policy.getDocumentElement(), true);
        adopted.setAttributeNS(NAMESPACES, "xmlns:wsu", UTILITY);
        adopted.setAttributeNS(UTILITY, "wsu:Id", id);
        Element root = document.getDocumentElement();
        root.insertBefore(adopted, root.getFirstChild());
        for (Element binding : Xml.elements(document, WSDL, "binding")) {
            Element reference = document.createElementNS(adopted.getNamespaceURI(), "wsp:PolicyReference");
            reference.setAttributeNS(NAMESPACES, "xmlns:wsp", adopted.getNamespaceURI());
            reference.setAttribute("URI", "#" + id);
            binding.insertBefore(reference, binding.getFirstChild());
        }
        return this;
    }

    /** Hangs the policy of a file on every binding, in place of all that hung there. */
    Contract ruledBy(Path file) throws Exception {
        Document policy = Xml.parse(Files.readAllBytes(file));
        FOREIGN.forEach(name -> Xml.elements(policy, "*", name).forEach(Contract::remove));
        return bare().with(policy);
    }

    /** States how RSA signs, for Metro: it knows no suite with more than SHA-1 and goes by an attribute of its own. */
    Contract signing(String algorithm) {
        Xml.elements(document, "*", "AlgorithmSuite")
            .forEach(suite -> suite.setAttribute("signatureAlgorithm", algorithm));
        return this;
    }

    URL write(Path file) throws IOException {
        Xml.write(document, file);
        return file.toUri().toURL();
    }

    /** Takes an element out, unless it went with its parent. */
    private static void remove(Element element) {
        if (element.getParentNode() != null) {
            element.getParentNode().removeChild(element);
        }
    }

    private QName named(Element element) {
        String namespace = document.getDocumentElement().getAttribute("targetNamespace");
        return new QName(namespace, element.getAttribute("name"));
    }

    private static URL url(String location) throws IOException {
        try {
            return URI.create(location).toURL();
        } catch (IllegalArgumentException | MalformedURLException notAbsolute) {
            return Path.of(location).toUri().toURL();
        }
    }
}
