"""WeChat official accounts (公众号), https://developers.weixin.qq.com/doc/offiaccount."""
