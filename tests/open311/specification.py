"""The documented examples of GeoReport v2 and its extensions, word for word.

Sources (the wiki is kept at https://github.com/open311/open311.github.io):

* https://wiki.open311.org/GeoReport_v2/ — ``GeoReport_v2/index.md``: services, definition,
  created, token, requests, errors. Its JSON writes ``001`` and ``006`` as bare numbers.
* https://wiki.open311.org/Service_Discovery/ — ``Service_Discovery.md``.
* https://wiki.open311.org/GeoReport_v2/Extensions/ — ``GeoReport_v2/Extensions.md``: an answer
  with ``extensions=true``.
* https://github.com/mysociety/fixmystreet/wiki/Open311-FMS---Proposed-differences-to-Open311
  defines ``servicerequestupdates``. Its answers are taken from mySociety's own server, as its
  tests expect them: https://github.com/mysociety/open311-adapter, ``t/open311/endpoint/mysociety.t``
  (reading) and the Confirm pass-through (posting; declared utf-16, sent as UTF-8).
"""
# ruff: noqa: E501, W291 - long lines and blanks are the specification's own

from __future__ import annotations

SERVICES_XML = """<?xml version="1.0" encoding="utf-8"?>
<services>
    <service>
        <service_code>001</service_code>
        <service_name>Cans left out 24x7</service_name>
        <description>Garbage or recycling cans that have been left out for more than 24 hours after collection. Violators will be cited.</description>
        <metadata>true</metadata>
        <type>realtime</type>
        <keywords>lorem, ipsum, dolor</keywords>
        <group>sanitation</group>
    </service>
    <service>
        <service_code>002</service_code>
        <metadata>true</metadata>
        <type>realtime</type>
        <keywords>lorem, ipsum, dolor</keywords>
        <group>street</group>
        <service_name>Construction plate shifted</service_name>
        <description>Metal construction plate covering the street or sidewalk has been moved.</description>
    </service>
    <service>
        <service_code>003</service_code>
        <metadata>true</metadata>
        <type>realtime</type>
        <keywords>lorem, ipsum, dolor</keywords>
        <group>street</group>
        <service_name>Curb or curb ramp defect</service_name>
        <description>Sidewalk curb or ramp has problems such as cracking, missing pieces, holes, and/or chipped curb.</description>
    </service>
</services>
"""

SERVICES_JSON = """[
  {
    "service_code":001,
    "service_name":"Cans left out 24x7",
    "description":"Garbage or recycling cans that have been left out for more than 24 hours after collection. Violators will be cited.",
    "metadata":true,
    "type":"realtime",
    "keywords":"lorem, ipsum, dolor",
    "group":"sanitation"
  },
  {
    "service_code":002,
    "metadata":true,
    "type":"realtime",
    "keywords":"lorem, ipsum, dolor",
    "group":"street",
    "service_name":"Construction plate shifted",
    "description":"Metal construction plate covering the street or sidewalk has been moved."
  },
  {
    "service_code":003,
    "metadata":true,
    "type":"realtime",
    "keywords":"lorem, ipsum, dolor",
    "group":"street",
    "service_name":"Curb or curb ramp defect",
    "description":"Sidewalk curb or ramp has problems such as cracking, missing pieces, holes, and/or chipped curb."
  }
]
"""

DEFINITION_XML = """<?xml version="1.0" encoding="utf-8"?>
<service_definition>
    <service_code>DMV66</service_code>  
    <attributes>
        <attribute>
            <variable>true</variable>
            <code>WHISHETN</code>
            <datatype>singlevaluelist</datatype>
            <required>true</required>
            <datatype_description></datatype_description>       
            <order>1</order>    
            <description>What is the ticket/tag/DL number?</description>
            <values>
                <value>
                    <key>123</key>
                    <name>Ford</name>
                </value>
                <value>
                    <key>124</key>
                    <name>Chrysler</name>
                </value>            
            </values>
        </attribute>    
    </attributes>
</service_definition>
"""

DEFINITION_JSON = """{
  "service_code":"DMV66",
  "attributes":[
    {
      "variable":true,
      "code":"WHISHETN",
      "datatype":"singlevaluelist",
      "required":true,
      "datatype_description":null,
      "order":1,
      "description":"What is the ticket/tag/DL number?",
      "values":[
        {
          "key":123,
          "name":"Ford"
        },
        {
          "key":124,
          "name":"Chrysler"
        }
      ]
    }
  ]
}
"""

# POST Service Request, "Example Request".
POSTED = (
    "api_key=xyz&jurisdiction_id=city.gov&service_code=001&lat=37.76524078&long=-122.4212043"
    "&address_string=1234+5th+street&email=smit333%40sfgov.edu&device_id=tt222111"
    "&account_id=123456&first_name=john&last_name=smith&phone=111111111"
    "&description=A+large+sinkhole+is+destroying+the+street"
    "&media_url=http%3A%2F%2Ffarm3.static.flickr.com%2F2002%2F2212426634_5ed477a060.jpg"
    "&attribute[WHISPAWN]=123456&attribute[WHISDORN]=COISL001"
)

CREATED_XML = """<?xml version="1.0" encoding="utf-8"?>
<service_requests>
    <request>
        <service_request_id>293944</service_request_id>
        <service_notice>
            The City will inspect and require the responsible party to correct within 24 hours and/or issue a Correction Notice or Notice of Violation of the Public Works Code
        </service_notice>
        <account_id/>
    </request>
</service_requests>
"""

CREATED_JSON = """[
  {
    "service_request_id":293944,
    "service_notice":"The City will inspect and require the responsible party to correct within 24 hours and/or issue a Correction Notice or Notice of Violation of the Public Works Code",
    "account_id":null
  }
]
"""

# GET service_request_id from a token.
TOKEN_XML = """<?xml version="1.0" encoding="utf-8"?>
<service_requests>
    <request>
        <service_request_id>638344</service_request_id>
        <token>12345</token>
    </request>
</service_requests>
"""

TOKEN_JSON = """[
  {
    "service_request_id":638344,
    "token":12345
  }
]
"""

_CLOSED_XML = """    <request>
        <service_request_id>638344</service_request_id>
        <status>closed</status>
        <status_notes>Duplicate request.</status_notes>
        <service_name>Sidewalk and Curb Issues</service_name>
        <service_code>006</service_code>
        <description></description>
        <agency_responsible></agency_responsible>
        <service_notice></service_notice>
        <requested_datetime>2010-04-14T06:37:38-08:00</requested_datetime>
        <updated_datetime>2010-04-14T06:37:38-08:00</updated_datetime>
        <expected_datetime>2010-04-15T06:37:38-08:00</expected_datetime>
        <address>8TH AVE and JUDAH ST</address>
        <address_id>545483</address_id>
        <zipcode>94122</zipcode>
        <lat>37.762221815</lat>
        <long>-122.4651145</long>
        <media_url>http://city.gov.s3.amazonaws.com/requests/media/638344.jpg </media_url>
    </request>
"""

_OPEN_XML = """    <request>
        <service_request_id>638349</service_request_id>
        <status>open</status>
        <status_notes></status_notes>
        <service_name>Sidewalk and Curb Issues</service_name>
        <service_code>006</service_code>
        <description></description>
        <agency_responsible></agency_responsible>
        <service_notice></service_notice>
        <requested_datetime>2010-04-19T06:37:38-08:00</requested_datetime>
        <updated_datetime>2010-04-19T06:37:38-08:00</updated_datetime>
        <expected_datetime>2010-04-19T06:37:38-08:00</expected_datetime>
        <address>8TH AVE and JUDAH ST</address>
        <address_id>545483</address_id>
        <zipcode>94122</zipcode>
        <lat>37.762221815</lat>
        <long>-122.4651145</long>
        <media_url>http://city.gov.s3.amazonaws.com/requests/media/638349.jpg </media_url>
    </request>
"""

_CLOSED_JSON = """  {
    "service_request_id":638344,
    "status":"closed",
    "status_notes":"Duplicate request.",
    "service_name":"Sidewalk and Curb Issues",
    "service_code":006,
    "description":null,
    "agency_responsible":null,
    "service_notice":null,
    "requested_datetime":"2010-04-14T06:37:38-08:00",
    "updated_datetime":"2010-04-14T06:37:38-08:00",
    "expected_datetime":"2010-04-15T06:37:38-08:00",
    "address":"8TH AVE and JUDAH ST",
    "address_id":545483,
    "zipcode":94122,
    "lat":37.762221815,
    "long":-122.4651145,
    "media_url":"http://city.gov.s3.amazonaws.com/requests/media/638344.jpg "
  }"""

_OPEN_JSON = """  {
    "service_request_id":638349,
    "status":"open",
    "status_notes":null,
    "service_name":"Sidewalk and Curb Issues",
    "service_code":006,
    "description":null,
    "agency_responsible":null,
    "service_notice":null,
    "requested_datetime":"2010-04-19T06:37:38-08:00",
    "updated_datetime":"2010-04-19T06:37:38-08:00",
    "expected_datetime":"2010-04-19T06:37:38-08:00",
    "address":"8TH AVE and JUDAH ST",
    "address_id":545483,
    "zipcode":94122,
    "lat":37.762221815,
    "long":-122.4651145,
    "media_url":"http://city.gov.s3.amazonaws.com/requests/media/638349.jpg"
  }"""

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<service_requests>\n'
REQUESTS_XML = f"{_HEAD}{_CLOSED_XML}{_OPEN_XML}</service_requests>\n"
REQUESTS_JSON = f"[\n{_CLOSED_JSON},\n{_OPEN_JSON}\n]\n"
REQUEST_XML = f"{_HEAD}{_CLOSED_XML}</service_requests>\n"
REQUEST_JSON = f"[\n{_CLOSED_JSON}\n]\n"

ERRORS_XML = """<?xml version="1.0" encoding="utf-8"?>
<errors>
    <error>
        <code>403</code>
        <description>Invalid api_key received -- can't proceed with create_request.</description>
    </error>
</errors>
"""

ERRORS_JSON = """[
  {
    "code":403,
    "description":"Invalid api_key received -- can't proceed with create_request."
  }
]
"""

DISCOVERY_XML = """<?xml version="1.0" encoding="UTF-8"?>
<discovery>
    <changeset>2011-02-03 14:18</changeset>
    <contact>You can email or call for assistance api@mycity.org +1 (555) 555-5555</contact>
    <key_service>You can request a key here: http://api.mycity.gov/api_key/request</key_service>
    <endpoints>
        <endpoint>
            <specification>http://wiki.open311.org/GeoReport_v2</specification>
            <url>http://open311.mycity.gov/v2</url>
            <changeset>2010-11-23 09:01</changeset>
            <type>production</type>
            <formats>
                <format>text/xml</format>
            </formats>
        </endpoint>
        <endpoint>
            <specification>http://wiki.open311.org/GeoReport_v2</specification>
            <url>http://open311.mycity.gov/test/v2</url>
            <changeset>2010-10-02 09:01</changeset>
            <type>test</type>
            <formats>
                <format>text/xml</format>
                <format>application/json</format>
            </formats>
        </endpoint>
        <endpoint>
            <specification>http://wiki.open311.org/GeoReport_v3</specification>
            <url>http://open311.mycity.gov/v3</url>
            <changeset>2011-02-03 14:18</changeset>
            <type>test</type>
            <formats>
                <format>text/xml</format>
                <format>application/json</format>
            </formats>
        </endpoint>
    </endpoints>
</discovery>
"""

DISCOVERY_JSON = """{
  "changeset":"2011-02-03 14:18",
  "contact":"You can email or call for assistance api@mycity.org +1 (555) 555-5555",
  "key_service":"You can request a key here: http://api.mycity.gov/api_key/request",
  "endpoints":[
    {
      "specification":"http://wiki.open311.org/GeoReport_v2",
      "url":"http://open311.mycity.gov/v2",
      "changeset":"2010-11-23 09:01",
      "type":"production",
      "formats":[
        "text/xml"
      ]
    },
    {
      "specification":"http://wiki.open311.org/GeoReport_v2",
      "url":"http://open311.mycity.gov/test/v2",
      "changeset":"2010-10-02 09:01",
      "type":"test",
      "formats":[
        "text/xml",
        "application/json"
      ]
    },
    {
      "specification":"http://wiki.open311.org/GeoReport_v3",
      "url":"http://open311.mycity.gov/v3",
      "changeset":"2011-02-03 14:18",
      "type":"test",
      "formats":[
        "text/xml",
        "application/json"
      ]
    }
  ]
}
"""

EXTENDED_JSON = """[
  {
    "service_request_id": "4944710",
    "status": "open",
    "service_name": "Street or Sidewalk Cleaning",
    "service_code": "518d5892601827e3880000c5",
    "description": "Garbage on sidewalk",
    "requested_datetime": "2015-07-27T16:24:28-07:00",
    "updated_datetime": "2015-07-27T16:24:28-07:00",
    "address": "Intersection of Mcallister St & Van Ness Ave",
    "lat": 37.7797,
    "long": -122.42,
    "media_url": "http://mobile311.sfgov.org/media/san_francisco/report/photos/55b6bda3df86c6d37f6d33a4/photo_20150727_162341.jpg",
    "attributes": [
      {
        "label": "Object",
        "name": "request_type",
        "value": "Other Loose Garbage / Debris",
        "code": "Other_loose_garbage_debris_yard_waste"
      }
    ],
    "extended_attributes": {
      "channel": "android",
      "x": 6006819.576650221,
      "y": 2112060.1528775054,
      "photos": [
        {
          "media_url": "http://mobile311.sfgov.org/media/san_francisco/report/photos/55b6bda3df86c6d37f6d33a4/photo_20150727_162341.jpg",
          "title": "Submitted",
          "width": 864,
          "height": 1536,
          "orientation": "portrait",
          "created_at": "2015-07-27T16:24:25-07:00"
        }
      ]
    },
    "notes": [
      {
        "datetime": "2015-07-27T16:24:19-07:00",
        "description": "Submitted via Android",
        "type": "submitted"
      },
      {
        "datetime": "2015-07-27T16:24:28-07:00",
        "description": "Opened",
        "type": "opened"
      }
    ]
  }
]
"""

UPDATES_XML = """<?xml version="1.0" encoding="utf-8"?>
<service_request_updates>
  <request_update>
    <description>Fixed</description>
    <media_url></media_url>
    <service_request_id>0</service_request_id>
    <status>closed</status>
    <update_id>1</update_id>
    <updated_datetime>2014-01-01T13:00:00Z</updated_datetime>
  </request_update>
  <request_update>
    <description>Have investigated. Looks tricky!</description>
    <media_url></media_url>
    <service_request_id>1</service_request_id>
    <status>open</status>
    <update_id>2</update_id>
    <updated_datetime>2014-03-01T13:00:00Z</updated_datetime>
  </request_update>
</service_request_updates>
"""

NO_UPDATES_XML = """<?xml version="1.0" encoding="utf-8"?>
<service_request_updates>
</service_request_updates>
"""

POSTED_UPDATE_XML = """<?xml version="1.0" encoding="utf-16"?>
<service_request_updates>
    <request_update>
        <update_id>392732</update_id>
    </request_update>
</service_request_updates>
"""
