package wsprovider.live;

import javax.xml.namespace.QName;
import org.apache.axiom.om.OMAbstractFactory;
import org.apache.axiom.om.OMElement;
import org.apache.axiom.om.OMFactory;
import org.apache.axiom.om.OMNamespace;

/** The one operation both sides speak: document/literal wrapped {@code echo(text)}. */
final class Echo {
    static final String NAMESPACE = "urn:wsprovider:echo";
    static final QName OPERATION = new QName(NAMESPACE, "echo");
    static final String ACTION = NAMESPACE + "/echo";

    private Echo() {}

    static OMElement request(String text) {
        return wrapped("echo", "text", text);
    }

    static OMElement response(String text) {
        return wrapped("echoResponse", "echoResult", text);
    }

    /** Text of the only child of a wrapper element. */
    static String textOf(OMElement wrapper) {
        OMElement child = wrapper.getFirstElement();
        return child == null ? null : child.getText();
    }

    private static OMElement wrapped(String wrapper, String child, String text) {
        OMFactory factory = OMAbstractFactory.getOMFactory();
        OMNamespace namespace = factory.createOMNamespace(NAMESPACE, "e");
        OMElement element = factory.createOMElement(wrapper, namespace);
        factory.createOMElement(child, namespace, element).setText(text);
        return element;
    }
}
