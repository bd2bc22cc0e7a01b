package wsprovider.live;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Predicate;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.neethi.Policy;
import org.apache.neethi.PolicyComponent;
import org.apache.neethi.PolicyEngine;
import org.apache.neethi.PolicyOperator;
import org.apache.ws.secpolicy.model.SecureConversationToken;
import org.apache.ws.secpolicy.model.SupportingToken;
import org.apache.ws.secpolicy.model.SymmetricBinding;
import org.apache.ws.secpolicy.model.Token;
import org.apache.ws.secpolicy.model.UsernameToken;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** A policy document made fit for one run: its own configuration taken out, ours put in, the algorithm suite exchanged if asked for. */
final class PolicyFile {
    private static final String RAMPART = "http://ws.apache.org/rampart/policy";
    private static final String MERLIN = "org.apache.ws.security.components.crypto.Merlin";
    private static final Set<String> CONFIGURATIONS = Set.of("RampartConfig", "CarbonSecConfig");

    private final Document document;

    PolicyFile(String path) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        document = factory.newDocumentBuilder().parse(new File(path));
        elements(node -> CONFIGURATIONS.contains(node.getLocalName())).forEach(node -> node.getParentNode().removeChild(node));
    }

    /** Exchanges the algorithm suite wherever the document names one; null leaves it as it is. */
    PolicyFile suite(String name) {
        if (name != null) {
            for (Element suite : elements(node -> isInside(node, "AlgorithmSuite"))) {
                document.renameNode(suite, suite.getNamespaceURI(), suite.getPrefix() == null ? name : suite.getPrefix() + ":" + name);
            }
        }
        return this;
    }

    /** Adds a RampartConfig assertion: plain settings by element name, and the crypto properties for signing, verifying, encrypting and decrypting. */
    PolicyFile configuration(Map<String, String> settings, Properties crypto) {
        Element config = append(document.getDocumentElement(), "RampartConfig");
        settings.forEach((name, value) -> append(config, name).setTextContent(value));
        if (crypto != null) {
            for (String role : List.of("signatureCrypto", "encryptionCrypto")) {
                Element provider = append(append(config, role), "crypto");
                provider.setAttribute("provider", MERLIN);
                provider.setAttribute("cryptoKey", KeyMaterial.FILE_PROPERTY); // Names the key of Rampart's cache; without it every message reads the store anew.
                for (String name : crypto.stringPropertyNames()) {
                    Element property = append(provider, "property");
                    property.setAttribute("name", name);
                    property.setTextContent(crypto.getProperty(name));
                }
            }
        }
        return this;
    }

    Policy parse() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TransformerFactory.newInstance().newTransformer().transform(new DOMSource(document), new StreamResult(bytes));
        return PolicyEngine.getPolicy(new ByteArrayInputStream(bytes.toByteArray()));
    }

    /** Makes every UsernameToken a digest; SP 2005/07 has no assertion for it, so this is set on the parsed policy. */
    static void hashPasswords(PolicyComponent component) {
        if (component instanceof PolicyOperator operator) {
            operator.getPolicyComponents().forEach(PolicyFile::hashPasswords);
        } else if (component instanceof SupportingToken supporting) {
            supporting.getTokens().stream().filter(UsernameToken.class::isInstance).forEach(token -> ((UsernameToken) token).setHashPassword(true));
        } else if (component instanceof SymmetricBinding binding && binding.getProtectionToken() != null) {
            Token protection = binding.getProtectionToken().getProtectionToken();
            if (protection instanceof SecureConversationToken conversation && conversation.getBootstrapPolicy() != null) {
                hashPasswords(conversation.getBootstrapPolicy());
            }
        }
    }

    private Element append(Node parent, String name) {
        return (Element) parent.appendChild(document.createElementNS(RAMPART, "rampart:" + name));
    }

    /** Whether an element is a grandchild of the named one, with the policy wrapper between them. */
    private static boolean isInside(Node node, String name) {
        Node wrapper = node.getParentNode();
        return "Policy".equals(wrapper.getLocalName()) && name.equals(wrapper.getParentNode().getLocalName());
    }

    private List<Element> elements(Predicate<Element> wanted) {
        NodeList all = document.getElementsByTagNameNS("*", "*");
        List<Element> found = new ArrayList<>();
        for (int i = 0; i < all.getLength(); i++) {
            if (wanted.test((Element) all.item(i))) {
                found.add((Element) all.item(i));
            }
        }
        return found;
    }
}
