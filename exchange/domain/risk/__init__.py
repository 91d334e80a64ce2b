"""Credit-risk classes of enterprises (企业信用风险分类, 国市监信发〔2022〕6号): what is known on a day becomes points, shares and a class."""
